#include "agent_fields.h"

#include "password_rules.h"

#include <string.h>

#define NAME_MEANING "A text of 1 to 100 bytes, without quotes and brackets"

const struct field agent_fields[] = {
	[AGENT_EXTENSION] = {"extension", FIELD_REQUIRED, 1, 32, field_is_extension,
			     "A text of 1 to 32 digits"},
	[AGENT_USERNAME] = {"username", FIELD_REQUIRED, 1, 64, field_is_username,
			    "A text of 1 to 64 characters a-z 0-9 . _ -"},
	[AGENT_PASSWORD] = {"password", 0, PASSWORD_MIN, PASSWORD_MAX, field_is_plain,
			    "A text of 12 to 256 bytes"},
	[AGENT_DISPLAY_NAME] = {"displayName", 0, 1, 100, field_is_display_name, NAME_MEANING},
	[AGENT_EMAIL] = {"email", 0, 3, 254, field_is_email, "An e-mail address"},
	[AGENT_TEAM] = {"teamId", 0, 1, 18, field_is_row_id, "The id of a team"},
	[AGENT_ENABLED] = {"enabled", FIELD_FLAG, 0, 0, NULL, "true or false"},
	[AGENT_QUEUES] = {"queues", FIELD_ANY, 0, 0, NULL, "Names of queues"},
	[AGENT_FIELDS] = {0},
};

const struct field agent_change_fields[] = {
	/* Another extension is another agent, and a password has its own place: nothing fits. */
	[AGENT_EXTENSION] = {"extension", 0, 1, 0, NULL, "An extension cannot be changed"},
	[AGENT_USERNAME] = {"username", 0, 1, 0, NULL, "A name cannot be changed"},
	[AGENT_PASSWORD] = {"password", 0, 1, 0, NULL, "Passwords are set at /api/users/{id}"},
	[AGENT_DISPLAY_NAME] = {"displayName", FIELD_NULLABLE, 1, 100, field_is_display_name,
				NAME_MEANING ", or null"},
	[AGENT_EMAIL] = {"email", FIELD_NULLABLE, 3, 254, field_is_email,
			 "An e-mail address, or null"},
	[AGENT_TEAM] = {"teamId", FIELD_NULLABLE, 1, 18, field_is_row_id,
			"The id of a team, or null"},
	[AGENT_ENABLED] = {"enabled", FIELD_FLAG, 0, 0, NULL, "true or false"},
	[AGENT_QUEUES] = {"queues", FIELD_ANY, 0, 0, NULL, "Names of queues"},
	[AGENT_FIELDS] = {0},
};

static bool is_named_before(const struct agent_wish *wish, size_t count, const char *name)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(wish->queues[i], name) == 0)
			return true;
	return false;
}

bool agent_read_queues(struct http_request *request, struct agent_wish *wish)
{
	const cJSON *list = cJSON_GetObjectItemCaseSensitive(http_json(request), "queues");
	const cJSON *item;
	size_t count = 0;

	wish->has_queues = list != NULL;
	if (list != NULL && (!cJSON_IsArray(list) || cJSON_GetArraySize(list) > AGENT_QUEUES_MAX)) {
		field_reply_fault(request, "queues", "A list of at most 16 names of queues");
		return false;
	}
	cJSON_ArrayForEach(item, list)
	{
		if (!cJSON_IsString(item) || item->valuestring[0] == '\0' ||
		    strlen(item->valuestring) > AGENT_QUEUE_LENGTH ||
		    !field_is_name(item->valuestring)) {
			field_reply_fault(request, "queues", "One of them is no name of a queue");
			return false;
		}
		if (!is_named_before(wish, count, item->valuestring))
			wish->queues[count++] = item->valuestring;
	}
	wish->queues[count] = NULL;
	return true;
}

static void set(char *out, const char *value)
{
	if (value != NULL)
		strcpy(out, value);
}

void agent_fill(struct user *user, const char *const *values)
{
	set(user->extension, values[AGENT_EXTENSION]);
	set(user->username, values[AGENT_USERNAME]);
	set(user->display_name, values[AGENT_DISPLAY_NAME]);
	set(user->email, values[AGENT_EMAIL]);
	set(user->team_id, values[AGENT_TEAM]);
	if (values[AGENT_ENABLED] != NULL)
		user->enabled = strcmp(values[AGENT_ENABLED], "true") == 0;
}
