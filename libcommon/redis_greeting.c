#include "redis_greeting.h"

#include "mem.h"
#include "resp.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum step {
	STEP_AUTH,
	STEP_PING,
	STEP_SELECT,
	STEP_SETNAME,
	STEP_ROLE
};

static void add_step(struct redis_greeting *greeting, enum step step, struct buffer *out,
		     const char *const *words)
{
	size_t count = 0;

	while (words[count] != NULL)
		count++;
	resp_command(out, count, words, NULL);
	greeting->steps[greeting->count++] = (int)step;
}

static void add_auth(struct redis_greeting *greeting, const struct redis_settings *settings,
		     struct buffer *out)
{
	if (settings->password[0] == '\0')
		return;
	if (settings->username[0] != '\0')
		add_step(greeting, STEP_AUTH, out,
			 (const char *[]){"AUTH", settings->username, settings->password, NULL});
	else
		add_step(greeting, STEP_AUTH, out,
			 (const char *[]){"AUTH", settings->password, NULL});
}

static void add_setname(struct redis_greeting *greeting, const char *name, struct buffer *out)
{
	char *full = mem_printf("mayday:%s:%s", program_invocation_short_name, name);

	for (char *at = full; *at != '\0'; at++) /* all that Redis takes */
		if (*at < '!' || *at > '~')
			*at = '_';
	add_step(greeting, STEP_SETNAME, out, (const char *[]){"CLIENT", "SETNAME", full, NULL});
	free(full);
}

void redis_greeting_begin(struct redis_greeting *greeting, const struct redis_settings *settings,
			  const char *name, struct buffer *out)
{
	char db[24];

	*greeting = (struct redis_greeting){0};
	add_auth(greeting, settings, out);
	add_step(greeting, STEP_PING, out, (const char *[]){"PING", NULL});
	if (settings->db != 0) {
		snprintf(db, sizeof(db), "%" PRId64, settings->db);
		add_step(greeting, STEP_SELECT, out, (const char *[]){"SELECT", db, NULL});
	}
	add_setname(greeting, name, out);
	add_step(greeting, STEP_ROLE, out, (const char *[]){"ROLE", NULL});
}

/* An ACL may forbid what is only a courtesy or a check. */
static bool may_fail(enum step step)
{
	return step == STEP_SETNAME || step == STEP_ROLE;
}

/* "master" when the server does not say. */
static const char *role_of(const redisReply *reply)
{
	if (reply->type != REDIS_REPLY_ARRAY || reply->elements == 0 ||
	    reply->element[0]->type != REDIS_REPLY_STRING)
		return "master";
	return reply->element[0]->str;
}

int redis_greeting_reply(struct redis_greeting *greeting, const redisReply *reply,
			 struct buffer *reason)
{
	static const char *const refusals[] = {
		[STEP_AUTH] = "login refused: ",
		[STEP_PING] = "not usable: ",
		[STEP_SELECT] = "no such database: ",
		[STEP_SETNAME] = "",
		[STEP_ROLE] = "",
	};
	enum step step = (enum step)greeting->steps[greeting->at++];

	if (reply->type == REDIS_REPLY_ERROR && !may_fail(step)) {
		buffer_append_str(reason, refusals[step]);
		buffer_append_str(reason, reply->str);
		return -1;
	}
	if (step == STEP_ROLE && strcmp(role_of(reply), "master") != 0) {
		buffer_printf(reason, "not a master: its role is %s", role_of(reply));
		return -1;
	}
	return greeting->at == greeting->count ? 1 : 0;
}
