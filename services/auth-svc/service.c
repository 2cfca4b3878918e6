#include "service.h"

#include "mem.h"
#include "replies.h"
#include "routes.h"
#include "settings.h"

#include <stdlib.h>

#define METRIC(kind, name, help) METRIC_DEF(kind, struct auth_metrics, name, help)
static const struct metric_def metric_defs[] = {
#include "metrics.inc"
	METRIC_END};
#undef METRIC

/* New keys are seen within this time, without a restart. */
#define KEYS_MS 2000

static void on_keys_timer(void *context)
{
	struct service *service = context;

	if (signer_refresh(service->signer))
		store_put_jwks(service->store, signer_jwks(service->signer));
}

static void on_schema(void *context)
{
	struct service *service = context;

	audit_begin(service->audit);
	teams_publish(service->teams);
}

static void on_redis_up(void *context)
{
	struct service *service = context;

	health_set(service->redis_health, true, NULL);
	store_put_jwks(service->store, signer_jwks(service->signer));
	if (service->bootstrap != NULL && bootstrap_is_done(service->bootstrap))
		teams_publish(service->teams);
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
		bootstrap_database_up(service->bootstrap);
}

static void open_links(struct service *service)
{
	struct daemon *daemon = service->daemon;
	struct redis_link_hooks hooks = {on_redis_up, on_redis_down, service};

	service->redis_health = health_add(daemon->health, "redis", false);
	service->sql_health = health_add(daemon->health, "mariadb", false);
	service->link = redis_link_open(daemon->loop, &settings.redis, "commands", &hooks);
	service->store = store_new(service->link);
	service->sql = sql_pool_open(daemon->loop, &settings.sql, on_sql_state, service);
	service->users = users_new(service->sql);
	service->teams = teams_new(service->sql, service->store);
	service->agents = agents_new(service->sql,
				     &(struct agents_phone_settings){settings.auth.sip_transport,
								     settings.auth.sip_context,
								     settings.auth.sip_codecs});
}

bool service_is_ready(const struct service *service, struct http_request *request)
{
	if (!bootstrap_is_done(service->bootstrap))
		reply_unavailable(request);
	return bootstrap_is_done(service->bootstrap);
}

int service_open(struct daemon *daemon, void **service_r, const char **error_r)
{
	struct service *service = mem_new(struct service);
	const struct auth_settings *set = &settings.auth;

	*service_r = service;
	service->daemon = daemon;
	service->signer =
		signer_open(&(struct signer_settings){set->keys_dir, &settings.jwt,
						      set->token_ttl_s, set->key_rotate_s},
			    error_r);
	if (service->signer == NULL)
		return -1;
	open_links(service);
	metrics_add(daemon->metrics, metric_defs, "", &service->metrics);
	service->password =
		password_open(daemon->loop, (size_t)set->hash_running, (size_t)set->hash_waiting,
			      &service->metrics.auth_password_hash_seconds);
	service->audit = audit_open(daemon->loop, service->store, service->link, service->sql,
				    &settings.redis);
	service->bootstrap = bootstrap_open(daemon->loop, &settings, service->users,
					    service->password, daemon->health, on_schema, service);
	service->presence = presence_open(daemon->loop, service->store, service->agents);
	service->keys_timer = timer_start(daemon->loop, KEYS_MS, KEYS_MS, on_keys_timer, service);
	service->auth = auth_new(&settings.jwt, service->link);
	http_server_set_authenticate(daemon->http, auth_http, service->auth);
	http_server_add_routes(daemon->http, routes, service);
	return 0;
}

/* First what answers others, then what they ask. */
void service_close(void *_service)
{
	struct service *service = _service;

	timer_stop(&service->keys_timer);
	presence_close(&service->presence);
	password_close(&service->password);
	sql_pool_close(&service->sql);
	redis_link_close(&service->link);
	audit_close(&service->audit);
	bootstrap_close(&service->bootstrap);
	auth_free(&service->auth);
	agents_free(&service->agents);
	teams_free(&service->teams);
	users_free(&service->users);
	store_free(&service->store);
	signer_close(&service->signer);
	metrics_remove(service->daemon->metrics, &service->metrics);
	free(service);
}
