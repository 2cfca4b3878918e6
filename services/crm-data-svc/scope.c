#include "scope.h"

#include "json.h"

#include <stdio.h>
#include <string.h>

#define TEAM_MAX 41

void scope_init(struct scope *scope, const struct principal *who)
{
	scope->who = *who;
	scope->all = strcmp(who->teams, "*") == 0;
	scope->oversees = principal_may(who, PERMISSION_ALL_CLIENTS);
}

/* Steps through the teams; false at the end. */
static bool next_team(const char **at, char out[TEAM_MAX])
{
	size_t len = strcspn(*at, " ");

	if (len == 0)
		return false;
	snprintf(out, TEAM_MAX, "%.*s", (int)len, *at);
	*at += len + strspn(*at + len, " ");
	return true;
}

static bool is_own_team(const struct scope *scope, const char *team)
{
	const char *at = scope->who.teams;
	char own[TEAM_MAX];

	if (strcmp(scope->who.team, team) == 0)
		return true;
	while (next_team(&at, own))
		if (strcmp(own, team) == 0)
			return true;
	return false;
}

static bool is_same(const cJSON *doc, const char *field, const char *mine)
{
	const char *value = json_get_str(doc, field);

	return value != NULL && mine[0] != '\0' && strcmp(value, mine) == 0;
}

bool scope_sees(const struct scope *scope, const cJSON *doc)
{
	const char *team = json_get_str(doc, "team");

	return scope->all || team == NULL || is_own_team(scope, team) ||
	       is_same(doc, "owner", scope->who.user_id) ||
	       is_same(doc, "agent", scope->who.extension);
}

static void add_choice(cJSON *choices, const char *field, cJSON *value)
{
	cJSON *choice = cJSON_CreateObject();

	cJSON_AddItemToObject(choice, field, value);
	cJSON_AddItemToArray(choices, choice);
}

void scope_filter(const struct scope *scope, cJSON *filter)
{
	const char *at = scope->who.teams;
	char team[TEAM_MAX];
	cJSON *choices;

	if (scope->all)
		return;
	choices = cJSON_AddArrayToObject(filter, "$or");
	add_choice(choices, "team", cJSON_CreateNull());
	if (scope->who.team[0] != '\0')
		add_choice(choices, "team", cJSON_CreateString(scope->who.team));
	while (next_team(&at, team))
		add_choice(choices, "team", cJSON_CreateString(team));
	add_choice(choices, "owner", cJSON_CreateString(scope->who.user_id));
	if (scope->who.extension[0] != '\0')
		add_choice(choices, "agent", cJSON_CreateString(scope->who.extension));
}

void scope_team(const struct scope *scope, char *out)
{
	snprintf(out, TEAM_MAX, "%s", scope->who.team);
}
