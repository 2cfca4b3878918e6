#include "service.h"

#include "idempotency.h"
#include "loop.h"
#include "mem.h"
#include "migrations.h"
#include "routes.h"
#include "routes_numbers.h"

#include <stdlib.h>

#define DRAIN_STEP_MS 20

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

static void open_followers(struct service *service)
{
	const struct lifecycle_settings *set = &settings.lifecycle;
	struct daemon *daemon = service->daemon;

	for (size_t i = 0; i < service->pbx_count; i++) {
		const struct follower_settings follower = {
			.pbx = service->pbxs[i],
			.is_one_of_many = service->pbx_count > 1,
			.redis = &settings.redis,
			.instance = daemon->instance,
			.lease_ttl_ms = set->lease_ttl_ms,
			.pbx_down_ms = set->pbx_down_s * 1000,
			.batch_max = (int)set->batch,
			.calls_max = (size_t)set->calls_max,
			.zone = settings.numbers.zone,
			.wrap_up_ms = set->wrap_up_s * 1000,
			.service_level_ms =
				strtoll(settings.numbers.service_level_s, NULL, 10) * 1000,
			.short_abandon_ms =
				strtoll(settings.numbers.short_abandon_s, NULL, 10) * 1000,
			.health = daemon->health,
			.metrics = daemon->metrics,
		};

		service->followers[i] = follower_open(daemon->loop, &follower);
	}
}

bool service_has_history(const struct service *service)
{
	return service->sql != NULL && sql_schema_is_ready(service->schema);
}

static void on_sql_state(bool up, const char *detail, void *context)
{
	struct service *service = context;

	health_set(service->sql_health, up, detail);
	if (up)
		sql_schema_database_up(service->schema);
	history_database(service->history, up && sql_schema_is_ready(service->schema));
}

static void on_schema(void *context)
{
	struct service *service = context;

	history_database(service->history, true);
}

/* Nothing of the live side waits for it. */
static void open_history(struct service *service)
{
	const struct lifecycle_settings *set = &settings.lifecycle;
	struct daemon *daemon = service->daemon;
	struct history_settings history = {
		.redis = &settings.redis,
		.instance = daemon->instance,
		.zones = settings_zones(),
		.lease_ttl_ms = set->lease_ttl_ms,
		.keep_days = settings.numbers.keep_days,
		.batch_max = (int)settings.numbers.batch,
		.health = daemon->health,
		.metrics = daemon->metrics,
	};

	if (settings.sql.host[0] == '\0')
		return;
	service->sql_health = health_add(daemon->health, "mariadb", true);
	service->schema =
		sql_schema_open(daemon->loop, &settings.sql, migrations_run,
				health_add(daemon->health, "schema", true), on_schema, service);
	service->sql = sql_pool_open(daemon->loop, &settings.sql, on_sql_state, service);
	history.sql = service->sql;
	service->history = history_open(daemon->loop, &history);
}

static void open_keeper(struct service *service)
{
	const struct keeper_settings keeper = {
		.link = service->link,
		.sql = service->sql,
		.folder = settings.lifecycle.recordings_dir,
		.keep_days = settings.lifecycle.recordings_days,
	};

	if (keeper.folder[0] != '\0')
		service->keeper = keeper_open(service->daemon->loop, &keeper);
}

static void open_wishes(struct service *service)
{
	const struct wishes_settings set = {
		.redis = &settings.redis,
		.commands = service->commands,
		.instance = service->daemon->instance,
		.pbx = settings.lifecycle.pbx_name,
		.lease_ttl_ms = settings.lifecycle.lease_ttl_ms,
	};

	service->wishes = wishes_open(service->daemon->loop, &set);
}

int service_open(struct daemon *daemon, void **service_r, const char **error_r)
{
	struct service *service = mem_new(struct service);
	struct redis_link_hooks hooks = {on_redis_up, on_redis_down, service};

	(void)error_r;
	*service_r = service;
	service->daemon = daemon;
	service->pbx_count = settings_pbxs(service->pbxs);
	service->redis_health = health_add(daemon->health, "redis", false);
	service->link = redis_link_open(daemon->loop, &settings.redis, "commands", &hooks);
	service->auth = auth_new(&settings.jwt, service->link);
	service->commands = commands_open(daemon->loop, service->link, &settings.redis,
					  daemon->instance, settings.lifecycle.command_timeout_ms);
	service->watch =
		pbx_watch_open(daemon->loop, service->link, service->pbxs, service->pbx_count);
	open_followers(service);
	open_history(service);
	open_keeper(service);
	open_wishes(service);
	http_server_set_authenticate(daemon->http, auth_http, service->auth);
	http_server_set_idempotency(daemon->http, idempotency_check, service->link);
	http_server_add_routes(daemon->http, routes, service);
	http_server_add_routes(daemon->http, number_routes, service);
	return 0;
}

static void on_drain(void *context)
{
	struct service *service = context;

	bool drained = true;

	for (size_t i = 0; i < service->pbx_count; i++)
		drained = follower_drained(service->followers[i]) && drained;
	if (service->history != NULL)
		drained = history_drained(service->history) && drained;
	if (!drained)
		return;
	timer_stop(&service->drain);
	daemon_drained(service->daemon);
}

void service_drain(void *_service)
{
	struct service *service = _service;

	for (size_t i = 0; i < service->pbx_count; i++)
		follower_drain(service->followers[i]);
	if (service->history != NULL)
		history_drain(service->history);
	service->drain = timer_start(service->daemon->loop, 0, DRAIN_STEP_MS, on_drain, service);
}

void service_close(void *_service)
{
	struct service *service = _service;

	timer_stop(&service->drain);
	keeper_close(&service->keeper);
	sql_pool_close(&service->sql); /* first what answers others */
	history_close(&service->history);
	sql_schema_close(&service->schema);
	for (size_t i = 0; i < service->pbx_count; i++)
		follower_close(&service->followers[i]);
	handle_audio_close(service);
	commands_close(&service->commands); /* answers the wishes that wait */
	wishes_close(&service->wishes);
	pbx_watch_close(&service->watch);
	redis_link_close(&service->link);
	auth_free(&service->auth);
	free(service);
}
