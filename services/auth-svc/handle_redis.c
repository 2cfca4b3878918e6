/* How Redis is: /api/admin/redis/health for administrators, /api/redis/sessions/health for
   components. */
#include "replies.h"
#include "routes.h"
#include "service.h"
#include "settings.h"
#include "store_health.h"

static void on_health(const struct buffer *json, void *context)
{
	struct http_request *request = context;
	struct buffer body = {0};

	if (json == NULL) {
		reply_unavailable(request);
		return;
	}
	buffer_append(&body, json->data, json->len);
	http_reply_json(request, 200, &body);
}

void handle_redis_health(struct http_request *request, void *context)
{
	struct service *service = context;

	store_get_health(service->store, settings_pbxs(), on_health, request);
}

static void on_ping(bool ok, int64_t sessions, int64_t round_trip_us, void *context)
{
	struct http_request *request = context;
	struct buffer body = {0};
	struct json_writer json = json_writer_init(&body);

	if (!ok) {
		reply_unavailable(request);
		return;
	}
	json_begin_object(&json);
	json_field_bool(&json, "ok", true);
	json_field_int(&json, "sessions", sessions);
	json_field_int(&json, "roundTripUs", round_trip_us);
	json_end_object(&json);
	http_reply_json(request, 200, &body);
}

void handle_sessions_health(struct http_request *request, void *context)
{
	struct service *service = context;

	store_ping_sessions(service->store, on_ping, request);
}
