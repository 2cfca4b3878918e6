#include "service.h"

#include "idempotency.h"
#include "mem.h"
#include "migrations.h"
#include "routes.h"

#include <stdlib.h>

#define PHONES_RING_S 120 /* a phone's own transfer: nobody told us how long it may ring */

static void on_redis_up(void *context)
{
	struct service *service = context;

	health_set(service->redis_health, true, NULL);
	follower_up(service->follower);
}

static void on_redis_down(const char *reason, void *context)
{
	struct service *service = context;

	health_set(service->redis_health, false, reason);
}

static void on_sql_state(bool up, const char *detail, void *context)
{
	struct service *service = context;

	health_set(service->sql_health, up, detail);
	if (up)
		sql_schema_database_up(service->schema);
}

static void open_links(struct service *service)
{
	struct redis_link_hooks hooks = {on_redis_up, on_redis_down, service};
	struct daemon *daemon = service->daemon;

	service->redis_health = health_add(daemon->health, "redis", false);
	/* Only the history is there: calls are transferred without it. */
	service->sql_health = health_add(daemon->health, "mariadb", true);
	service->schema_health = health_add(daemon->health, "schema", true);
	service->link = redis_link_open(daemon->loop, &settings.redis, "commands", &hooks);
	service->sql = sql_pool_open(daemon->loop, &settings.sql, on_sql_state, service);
	service->schema = sql_schema_open(daemon->loop, &settings.sql, migrations_run,
					  service->schema_health, NULL, NULL);
	service->history = history_open(daemon->loop, service->link, service->sql, service->schema);
}

static void open_engine(struct service *service)
{
	const struct transfer_settings *set = &settings.transfer;
	const struct compose_settings compose = {set->action_ms, set->consult_s * 1000};

	service->limits = (struct limits){
		.requested_ms = set->requested_ms,
		.consult_ms = set->consult_s * 1000,
		.back_ms = set->back_s * 1000,
		.grace_ms = set->grace_ms,
	};
	service->engine = engine_new(service->link, &service->limits, &compose, &service->metrics);
	service->deadlines = deadlines_open(service->daemon->loop, service->link, service->engine);
}

static void open_follower(struct service *service)
{
	const struct follower_settings set = {
		.redis = &settings.redis,
		.link = service->link,
		.engine = service->engine,
		.deadlines = service->deadlines,
		.pbxs = service->pbxs,
		.pbx_count = settings_pbxs(service->pbxs),
		.instance = service->daemon->instance,
		.lease_ttl_ms = settings.transfer.lease_ttl_ms,
		.phones_ring_s = PHONES_RING_S,
		.metrics = &service->metrics,
	};

	service->follower = follower_open(service->daemon->loop, &set);
}

int service_open(struct daemon *daemon, void **service_r, const char **error_r)
{
	struct service *service = mem_new(struct service);

	(void)error_r;
	*service_r = service;
	service->daemon = daemon;
	open_links(service);
	open_engine(service);
	open_follower(service);
	service->auth = auth_new(&settings.jwt, service->link);
	metrics_add(daemon->metrics, transfer_metric_defs, "", &service->metrics);
	http_server_set_authenticate(daemon->http, auth_http, service->auth);
	http_server_set_idempotency(daemon->http, idempotency_check, service->link);
	http_server_add_routes(daemon->http, routes, service);
	return 0;
}

/* First what begins new work, then the links, whose commands under way are answered by that. */
void service_close(void *_service)
{
	struct service *service = _service;

	follower_close(&service->follower);
	deadlines_close(&service->deadlines);
	history_close(&service->history);
	sql_schema_close(&service->schema);
	sql_pool_close(&service->sql);
	redis_link_close(&service->link);
	engine_free(&service->engine);
	auth_free(&service->auth);
	metrics_remove(service->daemon->metrics, &service->metrics);
	free(service);
}
