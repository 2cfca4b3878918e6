#include "probe.h"

#include "json.h"

#include <stdlib.h>
#include <string.h>

static int64_t number(const struct http_request *request, const char *name)
{
	const char *text = http_query(request, name);

	return text != NULL ? strtoll(text, NULL, 10) : 0;
}

static void handle_static(struct http_request *request, void *probe)
{
	struct buffer body = {0};

	(void)probe;
	buffer_append_str(&body, "{\"status\":\"ok\",\"agents\":[{\"extension\":\"1001\"},"
				 "{\"extension\":\"1002\"}],\"queues\":{\"sales\":12}}");
	http_reply_json(request, 200, &body);
}

/* What the library made of the request. */
static void handle_echo(struct http_request *request, void *probe)
{
	struct buffer body = {0};
	struct json_writer writer = json_writer_init(&body);
	size_t len;

	(void)probe;
	(void)http_body(request, &len);
	json_begin_object(&writer);
	json_field_str(&writer, "method", http_method(request));
	json_field_str(&writer, "path", http_path(request));
	json_field_str(&writer, "route", http_route_path(request));
	json_field_str(&writer, "id", http_param(request, "id"));
	json_field_str(&writer, "q", http_query(request, "q"));
	json_field_str(&writer, "client", http_client_address(request));
	json_field_str(&writer, "requestId", http_request_id(request));
	json_field_str(&writer, "user", http_principal(request)->user_id);
	json_field_int(&writer, "bodyBytes", (int64_t)len);
	json_field_str(&writer, "name", json_get_str(http_json(request), "name"));
	json_end_object(&writer);
	http_reply_json(request, 200, &body);
}

/* ?ms= */
static void handle_wait(struct http_request *request, void *probe)
{
	probe_after(probe, request, number(request, "ms"), handle_static);
}

/* ?bytes= */
static void handle_big(struct http_request *request, void *probe)
{
	struct buffer body = {0};
	size_t len = (size_t)number(request, "bytes");

	(void)probe;
	memset(buffer_reserve(&body, len), 'x', len);
	body.len = len;
	http_reply_text(request, 200, "text/plain", &body);
}

static void handle_page(struct http_request *request, void *probe)
{
	struct buffer body = {0};
	struct http_page page;

	(void)probe;
	if (!http_page(request, &page))
		return;
	buffer_printf(&body, "{\"limit\":%zu,\"cursor\":\"%s\"}", page.limit,
		      page.cursor != NULL ? page.cursor : "");
	http_reply_json(request, 200, &body);
}

static void handle_delete(struct http_request *request, void *probe)
{
	(void)probe;
	http_reply_json(request, 204, NULL);
}

/* Ownership: only the extension 1001. */
static void guard_extension(struct http_request *request, void *probe)
{
	(void)probe;
	if (strcmp(http_param(request, "id"), "1001") == 0)
		http_proceed(request);
	else
		http_reply_error(request, 404, "not_found", "No such call");
}

static void reply_order(struct http_request *request, void *_probe)
{
	struct probe *probe = _probe;
	struct buffer body = {0};
	unsigned status = (unsigned)json_get_int(http_json(request), "status", 201);

	if (status >= 400) {
		http_reply_error(request, status, "as_asked", "order %d", probe->orders);
		return;
	}
	buffer_printf(&body, "{\"order\":%d}", probe->orders);
	http_reply_json(request, status, &body);
}

/* {"status": of the reply, "ms": until it} */
static void handle_order(struct http_request *request, void *_probe)
{
	struct probe *probe = _probe;
	int64_t ms = json_get_int(http_json(request), "ms", 0);

	probe->orders++;
	if (ms > 0)
		probe_after(probe, request, ms, reply_order);
	else
		reply_order(request, probe);
}

static void on_hash(const redisReply *reply, void *context)
{
	struct http_request *request = context;
	struct buffer body = {0};
	struct json_writer writer = json_writer_init(&body);

	if (reply == NULL || reply->type != REDIS_REPLY_ARRAY) {
		http_reply_error(request, 503, "unavailable", "Redis is not there");
		return;
	}
	json_begin_object(&writer);
	for (size_t i = 0; i + 1 < reply->elements; i += 2) {
		json_key(&writer, reply->element[i]->str);
		json_strn(&writer, reply->element[i + 1]->str, reply->element[i + 1]->len);
	}
	json_end_object(&writer);
	http_reply_json(request, 200, &body);
}

static void handle_hash(struct http_request *request, void *_probe)
{
	struct probe *probe = _probe;

	if (redis_link_command(probe->link, on_hash, request, "HGETALL %s",
			       http_param(request, "key")) < 0)
		http_reply_error(request, 503, "unavailable", "Redis is not there");
}

const struct http_route probe_routes[] = {
	{"GET", "/static", handle_static, PERMISSION_NONE, NULL, HTTP_PUBLIC},
	{"GET", "/items/{id}", handle_echo, PERMISSION_NONE, NULL, HTTP_PUBLIC},
	{"GET", "/items/special", handle_echo, PERMISSION_NONE, NULL, HTTP_PUBLIC},
	{"PUT", "/items/{id}", handle_echo, PERMISSION_NONE, NULL, HTTP_PUBLIC},
	{"DELETE", "/items/{id}", handle_delete, PERMISSION_NONE, NULL, HTTP_PUBLIC},
	{"POST", "/json", handle_echo, PERMISSION_NONE, NULL, HTTP_PUBLIC | HTTP_JSON_BODY},
	{"GET", "/wait", handle_wait, PERMISSION_NONE, NULL, HTTP_PUBLIC},
	{"GET", "/big", handle_big, PERMISSION_NONE, NULL, HTTP_PUBLIC},
	{"GET", "/page", handle_page, PERMISSION_NONE, NULL, HTTP_PUBLIC},
	{"GET", "/hash/{key}", handle_hash, PERMISSION_NONE, NULL, HTTP_PUBLIC},
	{"GET", "/session", handle_echo, PERMISSION_NONE, NULL, 0},
	{"GET", "/pbx", handle_echo, PERMISSION_MANAGE_PBX, NULL, 0},
	{"GET", "/calls/{id}", handle_echo, PERMISSION_VIEW_CALLS, guard_extension,
	 HTTP_AMI_SESSION},
	{"POST", "/orders", handle_order, PERMISSION_MAKE_CALLS, NULL,
	 HTTP_IDEMPOTENT | HTTP_JSON_BODY},
	{NULL, NULL, NULL, PERMISSION_NONE, NULL, 0}};
