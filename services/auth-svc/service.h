/* auth-svc: owns its modules; they borrow each other through here. */
#ifndef AUTH_SVC_SERVICE_H
#define AUTH_SVC_SERVICE_H

#include "agents.h"
#include "audit.h"
#include "auth.h"
#include "bootstrap.h"
#include "daemon.h"
#include "loop.h"
#include "password.h"
#include "presence.h"
#include "redis_link.h"
#include "signer.h"
#include "sql.h"
#include "store.h"
#include "teams.h"
#include "users.h"

#define METRIC(kind, name, help) METRIC_FIELD_##kind(name)
struct auth_metrics {
#include "metrics.inc"
};
#undef METRIC

struct service {
	struct daemon *daemon;
	struct redis_link *link;
	struct sql_pool *sql;
	struct store *store;
	struct users *users;
	struct teams *teams;
	struct agents *agents;
	struct password *password;
	struct signer *signer;
	struct auth *auth;
	struct bootstrap *bootstrap;
	struct audit *audit;
	struct presence *presence;
	struct timer *keys_timer; /* looks at the signing keys */
	struct health_item *redis_health, *sql_health;
	struct auth_metrics metrics;
};

/* False: 503 was replied, for the schema may not be there yet. */
bool service_is_ready(const struct service *service, struct http_request *request);
int service_open(struct daemon *daemon, void **service_r, const char **error_r);
void service_close(void *service);

#endif
