#include "settings.h"

#include <stdio.h>
#include <string.h>

#define FIELD(name)   offsetof(struct lifecycle_settings, name)
#define NUMBERS(name) offsetof(struct numbers_settings, name)

struct settings settings;

static const struct setting lifecycle_table[] = {
	{"LIFECYCLE_BATCH", SETTING_NUMBER, FIELD(batch), 1, 5000, "500", NULL, false,
	 "entries of events:ami:<pbx> that are applied and committed at once"},
	{"LIFECYCLE_CALLS_MAX", SETTING_NUMBER, FIELD(calls_max), 1, 100000, "10000", NULL, false,
	 "live calls of one PBX; more are counted, not followed"},
	{"LIFECYCLE_COMMAND_TIMEOUT_MS", SETTING_NUMBER, FIELD(command_timeout_ms), 100, 30000,
	 "5000", NULL, false, "a command that Asterisk did not answer in this time has failed"},
	{"LIFECYCLE_CONTEXT", SETTING_TEXT, FIELD(context), 1, 64, "from-internal", NULL, false,
	 "dialplan context in which numbers are dialled"},
	{"LIFECYCLE_LEASE_TTL_MS", SETTING_NUMBER, FIELD(lease_ttl_ms), 500, 60000, "3000", NULL,
	 false, "a stand-by takes over this long after the last sign of life"},
	{"LIFECYCLE_WRAP_UP_S", SETTING_NUMBER, FIELD(wrap_up_s), 0, 3600, "0", NULL, false,
	 "after a queue's call a member has this long before it is rung again, unless Asterisk has "
	 "a time of its own for it"},
	{"PBX_NAMES", SETTING_TEXT, FIELD(pbxs), 0, 300, "", NULL, false,
	 "PBXs that are followed, parted by blanks; empty: PBX_NAME alone"},
	{"LIFECYCLE_PBX_DOWN_S", SETTING_NUMBER, FIELD(pbx_down_s), 1, 86400, "60", NULL, false,
	 "calls of a PBX that is not seen for so long end (reason pbx_down)"},
	{"LIFECYCLE_RECORDINGS_DAYS", SETTING_NUMBER, FIELD(recordings_days), 1, 36500, "90", NULL,
	 false, "recordings are removed after so long"},
	{"LIFECYCLE_RECORDINGS_DIR", SETTING_TEXT, FIELD(recordings_dir), 0, 1000, "", NULL, false,
	 "folder in which Asterisk writes recordings, as this host sees it; empty: neither "
	 "checksums "
	 "nor removal"},
	{"LIFECYCLE_VARIABLES", SETTING_TEXT, FIELD(variables), 0, 1000, "", NULL, false,
	 "channel variables that POST originate may set, parted by blanks"},
	{"PBX_NAME", SETTING_TEXT, FIELD(pbx_name), 1, 16, "main", NULL, false,
	 "the PBX that new calls go to"},
	{0},
};

static const struct setting numbers_table[] = {
	{"HISTORY_BATCH", SETTING_NUMBER, NUMBERS(batch), 1, 2000, "200", NULL, false,
	 "entries of each stream that are written to MariaDB at once"},
	{"HISTORY_KEEP_DAYS", SETTING_NUMBER, NUMBERS(keep_days), 0, 36500, "730", NULL, false,
	 "calls older than this leave the history; sums stay. 0: never"},
	{"STATS_SERVICE_LEVEL_S", SETTING_CHOICE, NUMBERS(service_level_s), 0, 0, "20",
	 "5 10 15 20 30 45 60 90 120", false,
	 "an answer after at most this wait is within the service level, unless a request says "
	 "otherwise"},
	{"STATS_SHORT_ABANDON_S", SETTING_CHOICE, NUMBERS(short_abandon_s), 0, 0, "5",
	 "3 5 10 15 20 30", false,
	 "who gives up after less than this wait does not count as abandoned"},
	{"STATS_TIME_ZONE", SETTING_TEXT, NUMBERS(zone), 1, 63, "UTC", NULL, false,
	 "where days begin, unless a request says otherwise"},
	{"STATS_TIME_ZONES", SETTING_TEXT, NUMBERS(zones), 0, 500, "", NULL, false,
	 "up to 8 more zones, parted by blanks, whose days are summed up in advance; in others "
	 "days "
	 "and longer intervals take longer"},
	{0},
};

const struct settings_group settings_groups[] = {
	{lifecycle_table, &settings.lifecycle},       {numbers_table, &settings.numbers},
	{jwt_settings_table, &settings.jwt},          {redis_settings_table, &settings.redis},
	{sql_settings_optional_table, &settings.sql}, {NULL, NULL},
};

static bool is_pbx_name(const char *name)
{
	size_t len = strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789");

	return len > 0 && len <= 16 && name[len] == '\0';
}

size_t settings_pbxs(const char **names_r)
{
	const struct lifecycle_settings *set = &settings.lifecycle;
	static char text[301]; /* the longest PBX_NAMES; the names stay in it */
	char *rest = text;
	size_t count = 0;

	(void)snprintf(text, sizeof(text), "%s", set->pbxs[0] != '\0' ? set->pbxs : set->pbx_name);
	for (char *name; count < PBXS_MAX && (name = strsep(&rest, " ")) != NULL;)
		if (name[0] != '\0')
			names_r[count++] = name;
	return count;
}

static void add_zone(struct zones *zones, const char *name)
{
	if (name[0] != '\0' && zones->count < ZONES_MAX && zones_step(zones, name) == 0)
		zones->names[zones->count++] = name;
}

const struct zones *settings_zones(void)
{
	static char text[501]; /* the longest STATS_TIME_ZONES; the names stay in it */
	static struct zones zones;
	char *rest = text;

	if (zones.count > 0)
		return &zones;
	(void)snprintf(text, sizeof(text), "%s", settings.numbers.zones);
	add_zone(&zones, settings.numbers.zone);
	for (char *name; (name = strsep(&rest, " ")) != NULL;)
		add_zone(&zones, name);
	return &zones;
}

static void check_zones(struct buffer *faults)
{
	const struct zones *zones = settings_zones();

	for (size_t i = 0; i < zones->count; i++)
		if (!zone_is_known(zones->names[i]))
			buffer_append_str(faults,
					  i == 0 ? "STATS_TIME_ZONE: there is no such zone\n"
						 : "STATS_TIME_ZONES: one is no zone\n");
}

void settings_check(struct buffer *faults)
{
	const char *names[PBXS_MAX];
	size_t count = settings_pbxs(names);

	if (!is_pbx_name(settings.lifecycle.pbx_name))
		buffer_append_str(faults, "PBX_NAME: only a-z and 0-9, at most 16\n");
	for (size_t i = 0; i < count; i++)
		if (!is_pbx_name(names[i]))
			buffer_append_str(faults,
					  "PBX_NAMES: names have only a-z and 0-9, at most 16\n");
	check_zones(faults);
	if (count == 0)
		buffer_append_str(faults, "PBX_NAMES: no name in it\n");
}
