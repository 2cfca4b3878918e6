/* Where MariaDB is: one table for every daemon that uses it. */
#ifndef COMMON_SQL_SETTINGS_H
#define COMMON_SQL_SETTINGS_H

#include "settings.h"

struct sql_settings {
	char *host;         /* DB_HOST: an address; a name would block in DNS */
	int64_t port;       /* DB_PORT */
	char *user;         /* DB_USER */
	char *password;     /* DB_PASSWORD */
	char *database;     /* DB_NAME */
	int64_t pool;       /* DB_POOL, 1..20 */
	int64_t timeout_ms; /* DB_TIMEOUT_MS: connect and each statement */
};

extern const struct setting sql_settings_table[];
/* For a daemon that also works without MariaDB: DB_HOST may be empty, and is by default. */
extern const struct setting sql_settings_optional_table[];

#endif
