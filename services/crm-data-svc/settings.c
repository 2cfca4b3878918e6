#include "settings.h"

#include <string.h>

#define CRM(name)   offsetof(struct crm_settings, name)
#define MONGO(name) offsetof(struct mongo_settings, name)

struct settings settings;

static const struct setting crm_table[] = {
	{"CRM_CACHE_S", SETTING_NUMBER, CRM(cache_s), 0, 3600, "60", NULL, false,
	 "seconds that a client is kept in Redis after it was read; 0: not at all"},
	{"CRM_COUNTRY_CODE", SETTING_TEXT, CRM(country), 1, 3, "49", NULL, false,
	 "calling code of numbers that are written without one"},
	{"CRM_INTERNATIONAL_PREFIX", SETTING_TEXT, CRM(intl_prefix), 0, 5, "00", NULL, false,
	 "dialled before a number with its country"},
	{"CRM_JOBS_KEEP_H", SETTING_NUMBER, CRM(jobs_keep_h), 1, 720, "24", NULL, false,
	 "hours until the files of imports and exports are deleted"},
	{"CRM_LEASE_TTL_MS", SETTING_NUMBER, CRM(lease_ttl_ms), 500, 60000, "3000", NULL, false,
	 "one that is gone leaves the calls to another after this time"},
	{"CRM_LIST_RATE", SETTING_NUMBER, CRM(list_rate), 1, 1000000, "2000", NULL, false,
	 "records that one user below manager may list in a minute; beyond them 429"},
	{"CRM_REPEAT_DAYS", SETTING_NUMBER, CRM(repeat_days), 1, 365, "7", NULL, false,
	 "a client who is back within so many days is a repeat caller"},
	{"CRM_TRUNK_PREFIX", SETTING_TEXT, CRM(trunk_prefix), 0, 3, "0", NULL, false,
	 "dialled before a national number"},
	{"WHATSAPP_NUMBER_ID", SETTING_TEXT, CRM(whatsapp_number), 0, 64, "", NULL, false,
	 "id of our number at the provider"},
	{"WHATSAPP_SECRET", SETTING_TEXT, CRM(whatsapp_secret), 0, 256, "", NULL, true,
	 "app secret that signs webhooks; without it all of them are refused"},
	{"WHATSAPP_TOKEN", SETTING_TEXT, CRM(whatsapp_token), 0, 1024, "", NULL, true,
	 "access token for sending"},
	{"WHATSAPP_TRIES", SETTING_NUMBER, CRM(whatsapp_tries), 1, 20, "6", NULL, false,
	 "times that a message is offered to the provider before it has failed"},
	{"WHATSAPP_URL", SETTING_TEXT, CRM(whatsapp_url), 0, 1024, "", NULL, false,
	 "base address of the Cloud API, with its version; empty: nothing is sent"},
	{"WHATSAPP_VERIFY_TOKEN", SETTING_TEXT, CRM(whatsapp_verify), 0, 256, "", NULL, true,
	 "word that the provider says when it subscribes the webhook"},
	{0},
};

static const struct setting mongo_table[] = {
	{"MONGODB_DATABASE", SETTING_TEXT, MONGO(database), 1, 63, "mayday", NULL, false,
	 "database of all collections"},
	{"MONGODB_POOL", SETTING_NUMBER, MONGO(pool), 5, 64, "8", NULL, false,
	 "connections and threads: one each for calls, jobs, lists and writing the audit, the "
	 "others for what people wait for"},
	{"MONGODB_QUERY_MS", SETTING_NUMBER, MONGO(query_ms), 100, 60000, "4000", NULL, false,
	 "a list, search or sum that takes longer is given up"},
	{"MONGODB_TIMEOUT_MS", SETTING_NUMBER, MONGO(timeout_ms), 100, 30000, "1000", NULL, false,
	 "to find a server and connect to it"},
	{"MONGODB_URI", SETTING_TEXT, MONGO(uri), 10, 2048, NULL, NULL, true,
	 "mongodb://[user:password@]host:port[,...]/[?options]"},
	{0},
};

const struct settings_group settings_groups[] = {
	{crm_table, &settings.crm},
	{mongo_table, &settings.mongo},
	{jwt_settings_table, &settings.jwt},
	{redis_settings_table, &settings.redis},
	{NULL, NULL},
};

static void check_digits(struct buffer *faults, const char *name, const char *value)
{
	if (value[strspn(value, "0123456789")] != '\0')
		buffer_printf(faults, "%s: only digits\n", name);
}

void settings_check(struct buffer *faults)
{
	const struct crm_settings *set = &settings.crm;

	check_digits(faults, "CRM_COUNTRY_CODE", set->country);
	check_digits(faults, "CRM_INTERNATIONAL_PREFIX", set->intl_prefix);
	check_digits(faults, "CRM_TRUNK_PREFIX", set->trunk_prefix);
	if (set->whatsapp_url[0] != '\0' &&
	    (set->whatsapp_token[0] == '\0' || set->whatsapp_number[0] == '\0'))
		buffer_append_str(faults, "WHATSAPP_URL: needs WHATSAPP_TOKEN and "
					  "WHATSAPP_NUMBER_ID\n");
	if (set->whatsapp_url[0] != '\0' && strncmp(set->whatsapp_url, "http://", 7) != 0 &&
	    strncmp(set->whatsapp_url, "https://", 8) != 0)
		buffer_append_str(faults, "WHATSAPP_URL: must be an http or https address\n");
}
