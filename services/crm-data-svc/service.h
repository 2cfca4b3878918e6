/* crm-data-svc: owns its modules; they borrow each other through here. */
#ifndef CRM_DATA_SVC_SERVICE_H
#define CRM_DATA_SVC_SERVICE_H

#include "audit.h"
#include "auth.h"
#include "daemon.h"
#include "mongo.h"
#include "phone.h"
#include "redis_link.h"

#define METRIC(kind, name, help) METRIC_FIELD_##kind(name)
struct crm_metrics {
#include "metrics.inc"
};
#undef METRIC

struct cache;
struct calls;
struct jobs;
struct outbox;

struct service {
	struct daemon *daemon;
	struct redis_link *link;
	struct mongo *mongo;
	struct cache *cache; /* owned by mongo */
	struct audit *audit;
	struct auth *auth;
	struct calls *calls;
	struct outbox *outbox;
	struct jobs *jobs;
	struct phone_rules phones; /* read by threads, never changed */
	struct health_item *redis_health, *mongo_health;
	struct timer *drain_timer;
	struct crm_metrics metrics;
	bool is_closed;
	unsigned holds; /* tasks under way, and the daemon */
};

int service_open(struct daemon *daemon, void **service_r, const char **error_r);
void service_drain(void *service);
void service_close(void *service);
/* While it is held the struct stays, though its modules may be closed (is_closed). */
void service_hold(struct service *service);
void service_release(struct service *service);

#endif
