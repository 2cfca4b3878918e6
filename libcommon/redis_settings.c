#include "redis_settings.h"

#define OFFSET(field) SETTING_STRUCT_OFFSET(struct redis_settings, field)

/* The command time-out stays under a second so that a request that needs Redis can be refused
   within one. */
const struct setting redis_settings_table[] = {
	{"REDIS_HOST", SETTING_TEXT, OFFSET(host), 1, 255, "127.0.0.1", NULL, false,
	 "host of Redis; not used with REDIS_SENTINELS"},
	{"REDIS_PORT", SETTING_NUMBER, OFFSET(port), 1, 65535, "6379", NULL, false,
	 "port of Redis; not used with REDIS_SENTINELS"},
	{"REDIS_USERNAME", SETTING_TEXT, OFFSET(username), 0, 255, "", NULL, false,
	 "ACL user; empty for the default user"},
	{"REDIS_PASSWORD", SETTING_TEXT, OFFSET(password), 0, 1024, "", NULL, true,
	 "password; empty for none"},
	{"REDIS_DB", SETTING_NUMBER, OFFSET(db), 0, 1000000, "0", NULL, false, "database number"},
	{"REDIS_SENTINELS", SETTING_TEXT, OFFSET(sentinels), 0, 4096, "", NULL, false,
	 "host:port of each Sentinel, parted by spaces; empty for one plain Redis"},
	{"REDIS_MASTER_NAME", SETTING_TEXT, OFFSET(master_name), 1, 255, "mymaster", NULL, false,
	 "name under which the Sentinels know the master"},
	{"REDIS_CONNECT_TIMEOUT_MS", SETTING_NUMBER, OFFSET(connect_timeout_ms), 10, 60000, "1000",
	 NULL, false, "name lookup and connect must be done in this time"},
	{"REDIS_COMMAND_TIMEOUT_MS", SETTING_NUMBER, OFFSET(command_timeout_ms), 10, 60000, "800",
	 NULL, false, "a command without a reply for so long drops the connection"},
	{0},
};
