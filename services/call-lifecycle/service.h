/* call-lifecycle: owns its modules; they borrow each other through here. */
#ifndef LIFECYCLE_SERVICE_H
#define LIFECYCLE_SERVICE_H

#include "auth.h"
#include "commands.h"
#include "daemon.h"
#include "follower.h"
#include "history.h"
#include "keeper.h"
#include "pbx_watch.h"
#include "redis_link.h"
#include "settings.h"
#include "sql.h"
#include "sql_schema.h"
#include "wishes.h"

struct service {
	struct daemon *daemon;
	struct redis_link *link;
	struct auth *auth;
	struct commands *commands;
	struct pbx_watch *watch;
	const char *pbxs[PBXS_MAX];
	size_t pbx_count;
	struct follower *followers[PBXS_MAX];
	struct sql_pool *sql; /* NULL: without MariaDB, as the two behind it */
	struct sql_schema *schema;
	struct history *history;
	struct wishes *wishes;
	struct health_item *redis_health, *sql_health;
	struct keeper *keeper;   /* NULL: recordings are not on this host */
	struct playing *playing; /* digits that wait for the next to be sent (handle_audio.c) */
	struct timer *drain;
};

int service_open(struct daemon *daemon, void **service_r, const char **error_r);
void service_drain(void *service);
void service_close(void *service);
/* MariaDB is in use, and has the tables. */
bool service_has_history(const struct service *service);

#endif
