#include "settings.h"

#include "ids.h"

#include <stdio.h>
#include <string.h>

#define FIELD(name) offsetof(struct transfer_settings, name)

struct settings settings;

static const struct setting transfer_table[] = {
	{"PBX_NAME", SETTING_TEXT, FIELD(pbx_name), 1, 16, "main", NULL, false,
	 "the PBX that is followed when PBX_NAMES is empty"},
	{"PBX_NAMES", SETTING_TEXT, FIELD(pbxs), 0, 300, "", NULL, false,
	 "PBXs that are followed, parted by blanks; empty: PBX_NAME alone"},
	{"TRANSFER_ACTION_MS", SETTING_NUMBER, FIELD(action_ms), 500, 30000, "5000", NULL, false,
	 "an action that could not be sent to Asterisk in this time never is"},
	{"TRANSFER_BACK_S", SETTING_NUMBER, FIELD(back_s), 1, 300, "20", NULL, false,
	 "how long the agent is rung for a customer that comes back; MAYDAY_BACK_SECONDS of the "
	 "dialplan"},
	{"TRANSFER_CONSULT_S", SETTING_NUMBER, FIELD(consult_s), 5, 7200, "600", NULL, false,
	 "a consultation may last so long"},
	{"TRANSFER_CONTEXTS", SETTING_TEXT, FIELD(contexts), 0, 1000, "services parkedcalls", NULL,
	 false, "dialplan contexts that may be targets, parted by blanks"},
	{"TRANSFER_EXTERNAL_ALLOW", SETTING_TEXT, FIELD(external_allow), 0, 1000, "", NULL, false,
	 "prefixes of the numbers outside that may be targets, parted by blanks; empty: any"},
	{"TRANSFER_EXTERNAL_CALLER_ID", SETTING_TEXT, FIELD(external_caller_id), 1, 32, "customer",
	 NULL, false, "what a number outside is shown: customer, agent, or a number"},
	{"TRANSFER_FALL_BACK", SETTING_FLAG, FIELD(fall_back), 0, 0, "yes", NULL, false,
	 "a target that does not take the customer: back to who transferred"},
	{"TRANSFER_GRACE_MS", SETTING_NUMBER, FIELD(grace_ms), 100, 60000, "10000", NULL, false,
	 "what the dialplan should do by itself is done by us when it is so late"},
	{"TRANSFER_LEASE_TTL_MS", SETTING_NUMBER, FIELD(lease_ttl_ms), 500, 60000, "3000", NULL,
	 false, "another instance reads on this long after the last sign of life"},
	{"TRANSFER_QUEUE_S", SETTING_NUMBER, FIELD(queue_s), 1, 7200, "300", NULL, false,
	 "how long a customer waits in a queue, when the request says nothing"},
	{"TRANSFER_REQUESTED_MS", SETTING_NUMBER, FIELD(requested_ms), 1000, 60000, "10000", NULL,
	 false, "a transfer of which Asterisk says nothing for so long has failed"},
	{"TRANSFER_RING_S", SETTING_NUMBER, FIELD(ring_s), 1, 300, "25", NULL, false,
	 "how long the target is rung, when the request says nothing"},
	{0},
};

const struct settings_group settings_groups[] = {
	{transfer_table, &settings.transfer},
	{jwt_settings_table, &settings.jwt},
	{redis_settings_table, &settings.redis},
	{sql_settings_table, &settings.sql},
	{NULL, NULL},
};

static bool is_pbx_name(const char *name)
{
	size_t len = strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789");

	return len > 0 && len <= 16 && name[len] == '\0';
}

size_t settings_pbxs(const char **names_r)
{
	const struct transfer_settings *set = &settings.transfer;
	static char text[301]; /* the longest PBX_NAMES; the names stay in it */
	char *rest = text;
	size_t count = 0;

	(void)snprintf(text, sizeof(text), "%s", set->pbxs[0] != '\0' ? set->pbxs : set->pbx_name);
	for (char *name; count < PBXS_MAX && (name = strsep(&rest, " ")) != NULL;)
		if (name[0] != '\0')
			names_r[count++] = name;
	return count;
}

void settings_check(struct buffer *faults)
{
	const struct transfer_settings *set = &settings.transfer;
	const char *names[PBXS_MAX];
	size_t count = settings_pbxs(names);

	for (size_t i = 0; i < count; i++)
		if (!is_pbx_name(names[i]))
			buffer_append_str(
				faults,
				"PBX_NAME, PBX_NAMES: names have only a-z and 0-9, at most 16\n");
	if (count == 0)
		buffer_append_str(faults, "PBX_NAMES: no name in it\n");
	if (strcmp(set->external_caller_id, "customer") != 0 &&
	    strcmp(set->external_caller_id, "agent") != 0 && !id_is_number(set->external_caller_id))
		buffer_append_str(faults, "TRANSFER_EXTERNAL_CALLER_ID: customer, agent, or a "
					  "number\n");
}
