/* The routes that every daemon has. */
#include "daemon_internal.h"

#include "json.h"

static void handle_healthz(struct http_request *request, void *context)
{
	struct daemon *daemon = context;
	struct buffer body = {0};
	struct json_writer json = json_writer_init(&body);

	json_begin_object(&json);
	json_field_bool(&json, "alive", true);
	json_field_str(&json, "service", daemon->name);
	json_field_str(&json, "version", MAYDAY_VERSION);
	json_field_str(&json, "instance", daemon->instance);
	json_end_object(&json);
	http_reply_json(request, 200, &body);
}

static void handle_readyz(struct http_request *request, void *context)
{
	struct daemon *daemon = context;
	struct buffer body = {0};

	health_write(daemon->health, &body);
	http_reply_json(request, health_ready(daemon->health) ? 200 : 503, &body);
}

static void handle_metrics(struct http_request *request, void *context)
{
	struct daemon *daemon = context;
	struct buffer body = {0};

	buffer_printf(&body,
		      "# HELP mayday_build_info Which daemon, and its version\n"
		      "# TYPE mayday_build_info gauge\n"
		      "mayday_build_info{service=\"%s\",version=\"%s\"} 1\n",
		      daemon->name, MAYDAY_VERSION);
	health_write_metrics(daemon->health, &body);
	metrics_write(daemon->metrics, &body);
	http_reply_text(request, 200, "text/plain; version=0.0.4; charset=utf-8", &body);
}

const struct http_route daemon_routes[] = {
	{"GET", "/healthz", handle_healthz, PERMISSION_NONE, NULL, HTTP_PUBLIC},
	{"GET", "/readyz", handle_readyz, PERMISSION_NONE, NULL, HTTP_PUBLIC},
	{"GET", "/metrics", handle_metrics, PERMISSION_NONE, NULL, HTTP_PUBLIC},
	{0},
};
