#include "service.h"

#include "idempotency.h"
#include "loop.h"
#include "mem.h"
#include "routes.h"

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
			.redis = &settings.redis,
			.instance = daemon->instance,
			.lease_ttl_ms = set->lease_ttl_ms,
			.pbx_down_ms = set->pbx_down_s * 1000,
			.batch_max = (int)set->batch,
			.calls_max = (size_t)set->calls_max,
			.health = daemon->health,
			.metrics = daemon->metrics,
		};

		service->followers[i] = follower_open(daemon->loop, &follower);
	}
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
	http_server_set_authenticate(daemon->http, auth_http, service->auth);
	http_server_set_idempotency(daemon->http, idempotency_check, service->link);
	http_server_add_routes(daemon->http, routes, service);
	return 0;
}

static void on_drain(void *context)
{
	struct service *service = context;

	bool drained = true;

	for (size_t i = 0; i < service->pbx_count; i++)
		drained = follower_drained(service->followers[i]) && drained;
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
	service->drain = timer_start(service->daemon->loop, 0, DRAIN_STEP_MS, on_drain, service);
}

void service_close(void *_service)
{
	struct service *service = _service;

	timer_stop(&service->drain);
	for (size_t i = 0; i < service->pbx_count; i++)
		follower_close(&service->followers[i]);
	commands_close(&service->commands);
	pbx_watch_close(&service->watch);
	redis_link_close(&service->link);
	auth_free(&service->auth);
	free(service);
}
