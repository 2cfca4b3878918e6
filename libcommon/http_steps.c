/* From a whole request to its handler: body syntax -> authenticate -> AMI session -> permission ->
   guard -> idempotency -> handler. Each step may answer at once or later; whatever a step needs and
   does not find is a refusal. */
#include "http_internal.h"

#include "json.h"

#include <string.h>
#include <strings.h>

static bool is_json(const char *content_type)
{
	static const char json[] = "application/json";
	size_t len = sizeof(json) - 1;

	if (content_type == NULL || strncasecmp(content_type, json, len) != 0)
		return false;
	return content_type[len + strspn(content_type + len, " \t")] == '\0' ||
	       content_type[len + strspn(content_type + len, " \t")] == ';';
}

/* False: an error was replied. */
static bool read_json(struct http_request *request)
{
	const char *error = "it is empty";

	if (request->body.len > 0) {
		if (!is_json(http_header(request, "Content-Type"))) {
			http_reply_error(request, 415, "unsupported_media_type",
					 "The body must be application/json");
			return false;
		}
		request->json = json_parse(request->body.data, request->body.len, &error);
	}
	if (request->json == NULL) {
		http_reply_error(request, 400, "invalid_json", "The body is not JSON: %s", error);
		return false;
	}
	if (cJSON_IsObject(request->json))
		return true;
	http_reply_error(request, 400, "invalid_json", "The body must be a JSON object");
	return false;
}

static void authenticate(struct http_request *request)
{
	struct http_step step = request->server->authenticate;

	request->stage = HTTP_STAGE_PERMISSION;
	if ((request->route->flags & HTTP_PUBLIC) != 0)
		http_proceed(request);
	else if (step.fn != NULL)
		step.fn(request, step.context);
	else
		http_reply_error(request, 503, "unavailable", "Tokens cannot be checked now");
}

static void refuse_permission(struct http_request *request, const char *name)
{
	struct buffer details = {0};

	buffer_printf(&details, "{\"permission\":\"%s\"}", name);
	http_reply_error_details(request, 403, "forbidden", buffer_str(&details),
				 "This needs the permission %s", name);
	buffer_free(&details);
}

static void check_permission(struct http_request *request)
{
	const struct http_route *route = request->route;

	request->stage = HTTP_STAGE_GUARD;
	if ((route->flags & HTTP_AMI_SESSION) != 0 && request->principal.ami_session_id[0] == '\0')
		http_reply_error(request, 403, "ami_session_required",
				 "This needs a live AMI session");
	else if (route->permission != PERMISSION_NONE &&
		 !principal_may(&request->principal, route->permission))
		refuse_permission(request, permission_name(route->permission));
	else
		http_proceed(request);
}

static void guard(struct http_request *request)
{
	request->stage = HTTP_STAGE_IDEMPOTENCY;
	if (request->route->guard != NULL)
		request->route->guard(request, request->table->context);
	else
		http_proceed(request);
}

static void check_idempotency(struct http_request *request)
{
	struct http_step step = request->server->idempotency;

	request->stage = HTTP_STAGE_HANDLER;
	if ((request->route->flags & HTTP_IDEMPOTENT) == 0 ||
	    http_header(request, "Idempotency-Key") == NULL)
		http_proceed(request);
	else if (step.fn != NULL)
		step.fn(request, step.context);
	else
		http_reply_error(request, 503, "unavailable",
				 "Idempotency-Key cannot be honoured now");
}

void http_proceed(struct http_request *request)
{
	if (request->server == NULL || request->answered) {
		http_reply_abandon(request);
		return;
	}
	switch (request->stage) {
	case HTTP_STAGE_AUTHENTICATE:
		authenticate(request);
		break;
	case HTTP_STAGE_PERMISSION:
		check_permission(request);
		break;
	case HTTP_STAGE_GUARD:
		guard(request);
		break;
	case HTTP_STAGE_IDEMPOTENCY:
		check_idempotency(request);
		break;
	case HTTP_STAGE_HANDLER:
		request->route->handler(request, request->table->context);
		break;
	}
}

void http_steps_start(struct http_request *request)
{
	if ((request->route->flags & HTTP_JSON_BODY) != 0 && !read_json(request))
		return;
	request->held = true;
	request->server->started++;
	request->stage = HTTP_STAGE_AUTHENTICATE;
	http_proceed(request);
}
