#include "reach.h"

#include "mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WORD_MAX 24

struct team {
	char id[WORD_MAX];
	char version[REACH_VERSION_MAX + 2]; /* "" before it was loaded, else "v<version>" */
	char **extensions;                   /* sorted */
	size_t count;
};

/* A team that was removed stays, with nobody in it: administrators do not make many. */
struct reach {
	struct redis_link *link;
	struct team **teams;
	size_t count;
};

struct reach *reach_new(struct redis_link *link)
{
	struct reach *reach = mem_new(struct reach);

	reach->link = link;
	return reach;
}

static void clear(struct team *team)
{
	for (size_t i = 0; i < team->count; i++)
		free(team->extensions[i]);
	free(team->extensions);
	team->extensions = NULL;
	team->count = 0;
}

void reach_free(struct reach **_reach)
{
	struct reach *reach = *_reach;

	*_reach = NULL;
	if (reach == NULL)
		return;
	for (size_t i = 0; i < reach->count; i++) {
		clear(reach->teams[i]);
		free(reach->teams[i]);
	}
	free(reach->teams);
	free(reach);
}

/* Steps through words that are parted by blanks; false at the end, and at one that is too long. */
static bool next_team(const char **at, char out[WORD_MAX])
{
	size_t len = strcspn(*at, " ");

	if (len == 0 || len >= WORD_MAX)
		return false;
	memcpy(out, *at, len);
	out[len] = '\0';
	*at += len + strspn(*at + len, " ");
	return true;
}

static struct team *find(const struct reach *reach, const char *id)
{
	for (size_t i = 0; reach != NULL && i < reach->count; i++)
		if (strcmp(reach->teams[i]->id, id) == 0)
			return reach->teams[i];
	return NULL;
}

static struct team *find_or_add(struct reach *reach, const char *id)
{
	struct team *team = find(reach, id);

	if (team != NULL)
		return team;
	team = mem_new(struct team);
	strcpy(team->id, id);
	reach->teams = mem_grow(reach->teams, (reach->count + 1) * sizeof(struct team *));
	reach->teams[reach->count++] = team;
	return team;
}

/* ---- loading ---- */

struct load {
	size_t waiting;
	bool failed;
	reach_done_fn *done;
	void *context;
};

struct ask {
	struct load *load;
	struct team *team;
	char version[REACH_VERSION_MAX + 2];
};

static void release(struct load *load)
{
	if (--load->waiting > 0)
		return;
	load->done(!load->failed, load->context);
	free(load);
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void take(struct team *team, const char *version, const redisReply *reply)
{
	clear(team);
	team->extensions = mem_array(char *, reply->elements + 1);
	for (size_t i = 0; i < reply->elements; i++)
		team->extensions[team->count++] = mem_strdup(reply->element[i]->str);
	qsort(team->extensions, team->count, sizeof(char *), by_text);
	strcpy(team->version, version);
}

static void on_extensions(const redisReply *reply, void *context)
{
	struct ask *ask = context;

	if (reply != NULL && reply->type == REDIS_REPLY_ARRAY)
		take(ask->team, ask->version, reply);
	else
		ask->load->failed = true;
	release(ask->load);
	free(ask);
}

static void ask_team(struct reach *reach, struct load *load, struct team *team, const char *version)
{
	struct ask *ask = mem_new(struct ask);

	*ask = (struct ask){.load = load, .team = team};
	strcpy(ask->version, version);
	if (redis_link_command(reach->link, on_extensions, ask, "SMEMBERS team:%s:extensions",
			       team->id) == 0) {
		load->waiting++;
		return;
	}
	load->failed = true;
	free(ask);
}

void reach_load(struct reach *reach, const char *teams, const char *version, reach_done_fn *done,
		void *context)
{
	struct load *load = mem_new(struct load);
	char id[WORD_MAX], wanted[REACH_VERSION_MAX + 2];

	*load = (struct load){.waiting = 1, .done = done, .context = context};
	snprintf(wanted, sizeof(wanted), "v%s", version);
	while (strcmp(teams, "*") != 0 && next_team(&teams, id)) {
		struct team *team = find_or_add(reach, id);

		if (strcmp(team->version, wanted) != 0)
			ask_team(reach, load, team, wanted);
	}
	release(load);
}

/* ---- questions ---- */

bool reach_is_all(const struct principal *who, enum permission permission)
{
	return principal_may(who, permission) && strcmp(who->teams, "*") == 0;
}

static bool has(const struct team *team, const char *extension)
{
	return team != NULL && team->count > 0 &&
	       bsearch(&extension, team->extensions, team->count, sizeof(char *), by_text) != NULL;
}

bool reach_has(const struct reach *reach, const char *teams, const char *extension)
{
	char id[WORD_MAX];

	while (next_team(&teams, id))
		if (has(find(reach, id), extension))
			return true;
	return false;
}

void reach_each(const struct reach *reach, const char *teams,
		void (*fn)(const char *extension, void *context), void *context)
{
	char id[WORD_MAX];

	while (next_team(&teams, id)) {
		const struct team *team = find(reach, id);

		for (size_t i = 0; team != NULL && i < team->count; i++)
			fn(team->extensions[i], context);
	}
}

bool reach_sees(const struct principal *who, enum permission permission, const char *extension)
{
	if (extension[0] == '\0')
		return false;
	if (reach_is_all(who, permission) || strcmp(extension, who->extension) == 0)
		return true;
	return principal_may(who, permission) && reach_has(who->reach, who->teams, extension);
}

bool reach_sees_one_of(const struct principal *who, enum permission permission,
		       const char *extensions)
{
	bool seen = reach_is_all(who, permission);
	const char *error;
	cJSON *list = seen ? NULL : json_parse(extensions, strlen(extensions), &error);
	const cJSON *item;

	cJSON_ArrayForEach(item, list)
	{
		if (cJSON_IsString(item))
			seen = seen || reach_sees(who, permission, item->valuestring);
	}
	cJSON_Delete(list);
	return seen;
}

void reach_write_those(const struct principal *who, enum permission permission, const char *list,
		       struct json_writer *writer)
{
	const char *error;
	cJSON *all = json_parse(list, strlen(list), &error);
	const cJSON *item;

	json_begin_array(writer);
	cJSON_ArrayForEach(item, all)
	{
		const char *extension = json_get_str(item, "extension");
		char *text = NULL;

		if (reach_is_all(who, permission) ||
		    (extension != NULL && reach_sees(who, permission, extension)))
			text = cJSON_PrintUnformatted(item);
		if (text != NULL)
			json_raw(writer, text, strlen(text));
		free(text);
	}
	json_end_array(writer);
	cJSON_Delete(all);
}

void reach_write(const struct principal *who, enum permission permission, struct buffer *out)
{
	const char *at = who->teams;
	char id[WORD_MAX];

	if (who->extension[0] != '\0')
		buffer_append_str(out, who->extension);
	while (principal_may(who, permission) && next_team(&at, id)) {
		const struct team *team = find(who->reach, id);

		for (size_t i = 0; team != NULL && i < team->count; i++) {
			if (out->len > 0)
				buffer_append_char(out, ',');
			buffer_append_str(out, team->extensions[i]);
		}
	}
}
