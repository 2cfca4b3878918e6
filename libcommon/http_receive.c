/* From libmicrohttpd's callbacks to one whole request: target, headers, body. */
#include "http_internal.h"

#include "clock.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

void *http_on_target(void *_server, const char *target, struct MHD_Connection *mhd)
{
	struct http_server *server = _server;
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
	struct http_connection *connection = info->socket_context;

	http_connection_deadline(connection, server->settings->request_deadline_ms);
	return http_request_new(connection, mhd, target);
}

/* Unlike id_random() without a system call for each request. */
static void make_id(struct http_request *request)
{
	struct http_server *server = request->server;

	snprintf(request->id, sizeof(request->id), "%s-%llu", server->id_prefix, ++server->ids);
}

static void take_identity(struct http_request *request)
{
	const char *id = http_headers_get(&request->headers, "X-Request-ID");
	const char *real = http_headers_get(&request->headers, "X-Real-IP");
	const char *peer = request->connection->address;
	unsigned char bytes[16];

	if (id != NULL && id_is_safe(id, sizeof(request->id) - 1))
		snprintf(request->id, sizeof(request->id), "%s", id);
	else
		make_id(request);
	if (real == NULL || !http_address_is_private(peer) ||
	    (uv_inet_pton(AF_INET, real, bytes) != 0 && uv_inet_pton(AF_INET6, real, bytes) != 0))
		real = peer;
	snprintf(request->client, sizeof(request->client), "%s", real);
}

/* What was sent can be understood in one way only; otherwise nothing more is read from it. */
static bool check_head(struct http_request *request, const char *method, const char *version)
{
	const char *fault = http_headers_fault(&request->headers, version);

	if (fault == NULL && strlen(method) >= sizeof(request->method))
		fault = "the method is not known";
	if (fault == NULL) {
		snprintf(request->method, sizeof(request->method), "%s", method);
		return true;
	}
	request->at_once = true;
	http_reply_header(request, "Connection", "close");
	http_reply_error(request, 400, "bad_request", "%s", fault);
	return false;
}

static bool check_target(struct http_request *request)
{
	const char *error;

	if (strlen(request->target) > HTTP_URI_MAX) {
		http_reply_error(request, 414, "uri_too_long",
				 "The request target is longer than %d bytes", HTTP_URI_MAX);
		return false;
	}
	if (http_uri_parse(request->target, &request->uri, &error) == 0)
		return true;
	http_reply_error(request, 400, "bad_request", "%s", error);
	return false;
}

static void refuse_body(struct http_request *request)
{
	http_reply_error(request, 413, "payload_too_large", "The body is larger than %lld bytes",
			 (long long)request->server->settings->body_max);
}

/* All that can be said before the body. A refusal waits for the end of a body of bearable size, so
   that the client reads it instead of a reset. */
static void begin(struct http_request *request, const char *method, const char *version)
{
	struct http_server *server = request->server;
	const char *expect;
	uint64_t length;

	request->begun = true;
	http_headers_copy(&request->headers, request->mhd);
	take_identity(request);
	if (!check_head(request, method, version))
		return;
	length = http_headers_body_length(&request->headers);
	if (server->draining) {
		http_reply_error(request, 503, "shutting_down", "This server is shutting down");
	} else if (check_target(request) && http_server_find(server, request) &&
		   length > (uint64_t)server->settings->body_max) {
		refuse_body(request);
	}
	expect = http_headers_get(&request->headers, "Expect");
	request->at_once =
		request->answered && (length > HTTP_DISCARD_MAX ||
				      (expect != NULL && strcasecmp(expect, "100-continue") == 0));
}

static void keep(struct http_request *request, const char *bytes, size_t size)
{
	buffer_append(&request->body, bytes, size);
	request->server->body_bytes += size;
}

/* Keeps or discards one piece of the body. MHD_NO cuts the connection. */
static enum MHD_Result take_body(struct http_request *request, const char *bytes, size_t *size)
{
	struct http_server *server = request->server;

	request->body_seen += *size;
	if (request->body_seen > HTTP_DISCARD_MAX)
		return MHD_NO;
	if (!request->answered) {
		if (request->body_seen > (uint64_t)server->settings->body_max)
			refuse_body(request);
		else if (server->body_bytes + *size > HTTP_BODIES_MAX)
			http_reply_error(request, 503, "unavailable",
					 "Too many large bodies at once");
		else
			keep(request, bytes, *size);
	}
	if (request->answered)
		http_request_drop_body(request);
	*size = 0;
	return MHD_YES;
}

static enum MHD_Result send_response(struct http_request *request)
{
	struct MHD_Response *response = request->response;
	enum MHD_Result result;

	if (response == NULL)
		return MHD_YES;
	request->response = NULL;
	http_connection_deadline(request->connection, HTTP_SEND_MS);
	result = MHD_queue_response(request->mhd, request->status, response);
	MHD_destroy_response(response);
	return result;
}

static void suspend(struct http_request *request)
{
	request->suspended = true;
	MHD_suspend_connection(request->mhd);
}

/* Called with the headers, then with each piece of the body, then at its end, and once more after
   each resume. */
enum MHD_Result http_on_request(void *server, struct MHD_Connection *mhd, const char *url,
				const char *method, const char *version, const char *upload,
				size_t *upload_size, void **_request)
{
	struct http_request *request = *_request;

	(void)server;
	(void)mhd;
	(void)url;
	if (!request->begun) {
		begin(request, method, version);
		return request->at_once ? send_response(request) : MHD_YES;
	}
	if (*upload_size > 0)
		return take_body(request, upload, upload_size);
	if (!request->answered && !request->held)
		http_steps_start(request);
	if (request->answered)
		return send_response(request);
	suspend(request);
	return MHD_YES;
}

void http_on_completed(void *_server, struct MHD_Connection *mhd, void **_request,
		       enum MHD_RequestTerminationCode code)
{
	struct http_request *request = *_request;

	(void)_server;
	(void)mhd;
	(void)code;
	*_request = NULL;
	if (request == NULL)
		return;
	http_connection_deadline(request->connection, HTTP_IDLE_MS);
	request->connection->request = NULL;
	request->connection = NULL;
	request->mhd = NULL;
	http_request_release(request);
}
