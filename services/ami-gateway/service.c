#include "service.h"

#include "auth.h"
#include "mem.h"
#include "routes.h"

#include <stdio.h>
#include <stdlib.h>

static void on_store_state(bool up, const char *detail, void *context)
{
	struct service *service = context;

	health_set(service->redis, up, detail);
	for (size_t i = 0; i < service->count; i++)
		if (service->pbxs[i] != NULL)
			pbx_redis(service->pbxs[i], up);
}

static void on_pbx_drained(void *context)
{
	struct service *service = context;

	if (--service->draining == 0)
		daemon_drained(service->daemon);
}

static struct pbx *open_pbx(struct service *service, size_t index)
{
	const struct pbx_config *config = &service->configs[index];
	struct daemon *daemon = service->daemon;
	struct pbx_settings set = {
		.loop = daemon->loop,
		.gateway = gateway_settings(),
		.redis = gateway_redis_settings(),
		.config = config,
		.filter = service->filter,
		.instance = daemon->instance,
		.store = service->store,
		.metrics = daemon->metrics,
		.must_be_named = service->count > 1,
		.on_drained = on_pbx_drained,
		.context = service,
	};

	snprintf(service->health_names[index], sizeof(service->health_names[index]), "pbx:%s",
		 config->name);
	/* One of several servers may be away without hindering the others. */
	set.health = health_add(daemon->health, service->health_names[index], service->count > 1);
	return pbx_open(&set);
}

int service_open(struct daemon *daemon, void **service_r, const char **error_r)
{
	struct service *service = mem_new(struct service);

	(void)error_r;
	service->daemon = daemon;
	service->redis = health_add(daemon->health, "redis", false);
	service->filter = event_filter_new(gateway_settings()->exclude);
	service->store =
		store_open(daemon->loop, gateway_redis_settings(), on_store_state, service);
	service->auth = auth_new(gateway_jwt_settings(), store_link(service->store));
	http_server_set_authenticate(daemon->http, auth_http, service->auth);
	http_server_add_routes(daemon->http, gateway_routes, service);
	service->configs = gateway_pbxs(&service->count);
	service->pbxs = mem_array(struct pbx *, service->count);
	service->health_names = mem_alloc_array(sizeof(*service->health_names), service->count);
	for (size_t i = 0; i < service->count; i++)
		service->pbxs[i] = open_pbx(service, i);
	*service_r = service;
	return 0;
}

void service_drain(void *context)
{
	struct service *service = context;

	service->draining = service->count;
	for (size_t i = 0; i < service->count; i++)
		pbx_drain(service->pbxs[i]);
}

void service_close(void *context)
{
	struct service *service = context;

	for (size_t i = 0; i < service->count; i++) {
		pbx_close(&service->pbxs[i]);
		pbx_config_clear(&service->configs[i]);
	}
	auth_free(&service->auth);
	store_close(&service->store);
	event_filter_free(&service->filter);
	free(service->pbxs);
	free(service->configs);
	free(service->health_names);
	free(service);
}
