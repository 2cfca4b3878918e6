/* transfer-svc: owns its modules; they borrow each other through here. */
#ifndef TRANSFER_SVC_SERVICE_H
#define TRANSFER_SVC_SERVICE_H

#include "auth.h"
#include "daemon.h"
#include "deadlines.h"
#include "engine.h"
#include "follower.h"
#include "history.h"
#include "redis_link.h"
#include "settings.h"
#include "sql.h"
#include "sql_schema.h"
#include "transfer_metrics.h"

struct service {
	struct daemon *daemon;
	struct redis_link *link;
	struct sql_pool *sql;
	struct sql_schema *schema;
	struct auth *auth;
	struct limits limits;
	struct engine *engine;
	struct deadlines *deadlines;
	struct follower *follower;
	struct history *history;
	struct health_item *redis_health, *sql_health, *schema_health;
	struct transfer_metrics metrics;
	const char *pbxs[PBXS_MAX];
};

int service_open(struct daemon *daemon, void **service_r, const char **error_r);
void service_close(void *service);

#endif
