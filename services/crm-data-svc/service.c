#include "service.h"

#include "cache.h"
#include "calls.h"
#include "idempotency.h"
#include "indexes.h"
#include "jobs.h"
#include "loop.h"
#include "mem.h"
#include "outbox.h"
#include "routes.h"
#include "settings.h"

#include <stdlib.h>

#define DRAIN_STEP_MS 20

#define METRIC(kind, name, help) METRIC_DEF(kind, struct crm_metrics, name, help)
static const struct metric_def metric_defs[] = {
#include "metrics.inc"
	METRIC_END};
#undef METRIC

void service_hold(struct service *service)
{
	service->holds++;
}

void service_release(struct service *service)
{
	if (--service->holds == 0)
		free(service);
}

static void on_redis_up(void *context)
{
	struct service *service = context;

	health_set(service->redis_health, true, NULL);
}

static void on_redis_down(const char *reason, void *context)
{
	struct service *service = context;

	health_set(service->redis_health, false, reason);
}

static void on_mongo_state(bool up, const char *detail, void *context)
{
	struct service *service = context;

	health_set(service->mongo_health, up, detail);
	if (up)
		calls_mongo_up(service->calls);
}

static int open_mongo(struct service *service, const char **error_r)
{
	struct mongo_hooks hooks = {on_mongo_state, indexes_make, service, NULL};

	service->cache =
		cache_open(service->daemon->loop, service->link, settings.crm.cache_s * 1000);
	hooks.cache = service->cache;

	service->mongo_health = health_add(service->daemon->health, "mongodb", false);
	service->mongo = mongo_open(service->daemon->loop, &settings.mongo, &hooks, error_r);
	if (service->mongo != NULL)
		return 0;
	cache_free(&service->cache);
	return -1;
}

static void open_links(struct service *service)
{
	struct redis_link_hooks hooks = {on_redis_up, on_redis_down, service};
	struct daemon *daemon = service->daemon;

	service->redis_health = health_add(daemon->health, "redis", false);
	service->link = redis_link_open(daemon->loop, &settings.redis, "commands", &hooks);
	service->auth = auth_new(&settings.jwt, service->link);
}

int service_open(struct daemon *daemon, void **service_r, const char **error_r)
{
	struct service *service = mem_new(struct service);

	*service_r = service;
	service->daemon = daemon;
	service->holds = 1;
	service->phones = (struct phone_rules){settings.crm.country, settings.crm.trunk_prefix,
					       settings.crm.intl_prefix};
	open_links(service);
	metrics_add(daemon->metrics, metric_defs, "", &service->metrics);
	if (open_mongo(service, error_r) < 0)
		return -1;
	service->audit = audit_open(daemon->loop, service->mongo);
	service->outbox = outbox_open(service);
	service->jobs = jobs_open(service);
	service->calls = calls_open(service);
	http_server_set_authenticate(daemon->http, routes_authenticate, service);
	http_server_set_idempotency(daemon->http, idempotency_check, service->link);
	http_server_add_routes(daemon->http, routes, service);
	return 0;
}

/* Replies first, then what they leave to be written. */
static void on_drain(void *_service)
{
	struct service *service = _service;

	audit_flush(service->audit);
	if (service->holds == 1 && http_server_idle(service->daemon->http) &&
	    (audit_idle(service->audit) || !mongo_is_up(service->mongo)) &&
	    calls_idle(service->calls) && jobs_idle(service->jobs))
		daemon_drained(service->daemon);
}

void service_drain(void *_service)
{
	struct service *service = _service;

	http_server_drain(service->daemon->http);
	calls_drain(service->calls);
	service->drain_timer =
		timer_start(service->daemon->loop, 0, DRAIN_STEP_MS, on_drain, service);
}

void service_close(void *_service)
{
	struct service *service = _service;

	service->is_closed = true;
	timer_stop(&service->drain_timer);
	calls_close(&service->calls);
	outbox_close(&service->outbox);
	jobs_close(&service->jobs);
	audit_close(&service->audit);
	if (service->cache != NULL)
		cache_close(service->cache);
	mongo_close(&service->mongo);
	redis_link_close(&service->link);
	auth_free(&service->auth);
	metrics_remove(service->daemon->metrics, &service->metrics);
	service_release(service);
}
