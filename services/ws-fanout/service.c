#include "service.h"

#include "eio.h"
#include "hub.h"
#include "ids.h"
#include "log.h"
#include "loop.h"
#include "mem.h"
#include "routes.h"
#include "source.h"
#include "sse.h"
#include "teams.h"
#include "webhooks.h"
#include "websocket.h"

#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#define TICK_MS       1000
#define DRAIN_STEP_MS 50

struct service {
	struct daemon *daemon;
	struct hub hub;
	struct fanout_metrics metrics;
	struct stream_metrics streams[TOPIC_COUNT];
	struct health_item *redis_health;
	struct source *source;
	struct timer *timer; /* ticks, and asks again where the streams stand; draining: is
				everybody gone */
};

/* One descriptor for each client: as many as we may have. */
static void raise_descriptor_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
		return;
	limit.rlim_cur = limit.rlim_max;
	(void)setrlimit(RLIMIT_NOFILE, &limit);
	if (limit.rlim_max < (rlim_t)fanout_settings.connections_max + 64)
		log_warn("fewer descriptors than WS_CONNECTIONS_MAX",
			 log_int("descriptors", (int64_t)limit.rlim_max));
}

static void on_link_up(void *context)
{
	struct service *service = context;

	health_set(service->redis_health, true, NULL);
	source_link_up(service->source);
	if (hub_is_started(&service->hub)) /* a change may have gone by */
		teams_load(service->hub.teams, NULL, NULL);
}

static void on_link_down(const char *reason, void *context)
{
	struct service *service = context;

	health_set(service->redis_health, false, reason);
}

static void on_tick(void *context)
{
	struct service *service = context;

	hub_tick(&service->hub);
	if (redis_link_is_up(service->hub.link))
		source_link_up(service->source);
}

static const struct ws_endpoint endpoints[] = {
	{"/ws", websocket_open, NULL},
	{"/socket.io/", eio_open, eio_request},
	{"/api/events", NULL, sse_request},
	{0},
};

static int open_socket(struct service *service, const char **error_r)
{
	struct ws_server_settings set = {
		.listen = fanout_settings.listen,
		.origins = fanout_settings.origins,
		.connections_max = (size_t)fanout_settings.connections_max,
		.message_max = (size_t)fanout_settings.message_max,
		.queue_max = (size_t)fanout_settings.queue_kb * 1024,
		.ping_ms = fanout_settings.ping_ms,
		.drain_ms = fanout_settings.drain_ms,
		.deflate = fanout_settings.deflate,
		.endpoints = endpoints,
		.context = &service->hub,
		.metrics = &service->metrics,
	};

	service->hub.server = ws_server_open(service->daemon->loop, &set, error_r);
	return service->hub.server != NULL ? 0 : -1;
}

static void open_redis(struct service *service)
{
	struct daemon *daemon = service->daemon;
	struct redis_link_hooks hooks = {on_link_up, on_link_down, service};

	service->redis_health = health_add(daemon->health, "redis", false);
	service->source = source_new(daemon->loop, &service->hub,
				     health_add(daemon->health, "streams", false));
	service->hub.link =
		redis_link_open(daemon->loop, &fanout_redis_settings, "commands", &hooks);
	service->hub.teams = teams_new(service->hub.link);
	service->hub.webhooks = webhooks_new(daemon->loop, &service->hub, daemon->instance);
	service->hub.auth = auth_new(&fanout_jwt_settings, service->hub.link);
	http_server_set_authenticate(daemon->http, auth_http, service->hub.auth);
	service->timer = timer_start(daemon->loop, TICK_MS, TICK_MS, on_tick, service);
}

static void add_metrics(struct service *service)
{
	struct metrics *metrics = service->daemon->metrics;
	char label[32];

	metrics_add(metrics, fanout_metric_defs, "", &service->metrics);
	for (enum topic topic = 0; topic < TOPIC_COUNT; topic++) {
		snprintf(label, sizeof(label), "topic=\"%s\"", topic_name(topic));
		metrics_add(metrics, stream_metric_defs, label, &service->streams[topic]);
	}
}

static void remove_metrics(struct service *service)
{
	struct metrics *metrics = service->daemon->metrics;

	metrics_remove(metrics, &service->metrics);
	for (enum topic topic = 0; topic < TOPIC_COUNT; topic++)
		metrics_remove(metrics, &service->streams[topic]);
}

int service_open(struct daemon *daemon, void **service_r, const char **error_r)
{
	struct service *service = mem_new(struct service);
	char random[ID_RANDOM_LEN + 1];

	service->daemon = daemon;
	raise_descriptor_limit();
	if (open_socket(service, error_r) < 0) {
		free(service);
		return -1;
	}
	service->hub.settings = &fanout_settings;
	service->hub.metrics = &service->metrics;
	service->hub.streams = service->streams;
	service->hub.rooms = rooms_new();
	service->hub.eio = eio_new(daemon->loop, &service->hub);
	id_random(random);
	memcpy(service->hub.prefix, random, sizeof(service->hub.prefix) - 1);
	open_redis(service);
	add_metrics(service);
	http_server_add_routes(daemon->http, fanout_routes, &service->hub);
	*service_r = service;
	return 0;
}

static void on_drain_step(void *context)
{
	struct service *service = context;

	if (ws_server_count(service->hub.server) == 0)
		daemon_drained(service->daemon);
}

void service_drain(void *_service)
{
	struct service *service = _service;

	ws_server_drain(service->hub.server);
	timer_stop(&service->timer);
	service->timer =
		timer_start(service->daemon->loop, 0, DRAIN_STEP_MS, on_drain_step, service);
}

/* The sockets first: what they were waiting for finds nobody any more. */
void service_close(void *_service)
{
	struct service *service = _service;

	timer_stop(&service->timer);
	eio_free(&service->hub.eio);
	ws_server_close(&service->hub.server);
	webhooks_free(&service->hub.webhooks);
	source_free(&service->source);
	auth_free(&service->hub.auth);
	redis_link_close(&service->hub.link);
	teams_free(&service->hub.teams);
	hub_stop(&service->hub);
	rooms_free(&service->hub.rooms);
	remove_metrics(service);
	free(service);
}
