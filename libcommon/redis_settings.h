/* Where Redis is: one table for every daemon. */
#ifndef COMMON_REDIS_SETTINGS_H
#define COMMON_REDIS_SETTINGS_H

#include "settings.h"

struct redis_settings {
	char *host;
	int64_t port;
	char *username; /* "" for the default user */
	char *password; /* "" for none */
	int64_t db;
	char *sentinels; /* "" or "host:port host:port ..."; then host and port are not used */
	char *master_name;
	int64_t connect_timeout_ms;
	int64_t command_timeout_ms;
};

/* REDIS_HOST REDIS_PORT REDIS_USERNAME REDIS_PASSWORD REDIS_DB REDIS_SENTINELS REDIS_MASTER_NAME
   REDIS_CONNECT_TIMEOUT_MS REDIS_COMMAND_TIMEOUT_MS; offsets are into struct redis_settings. */
extern const struct setting redis_settings_table[];

#endif
