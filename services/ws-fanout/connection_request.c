/* The request that a connection begins with, and plain answers to it. */
#include "connection_internal.h"

#include "deflate.h"
#include "handshake.h"
#include "mem.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

/* ---- answers ---- */

static void finish_with(struct connection *connection, const struct buffer *response)
{
	struct frame *frame = frame_raw(response->data, response->len);

	connection_finish(connection, frame, false);
	frame_unref(&frame);
}

void connection_refuse(struct connection *connection, const struct request_refusal *refusal)
{
	struct buffer response = {0};

	connection->server->set.metrics->ws_handshakes_refused_total++;
	handshake_refuse(refusal, &response);
	finish_with(connection, &response);
	buffer_free(&response);
}

/* A page of another origin that may connect may read the answer, too. */
static void append_cors(const struct connection *connection, struct buffer *out)
{
	if (connection->origin != NULL)
		buffer_printf(out,
			      "Access-Control-Allow-Origin: %s\r\n"
			      "Access-Control-Allow-Credentials: true\r\nVary: Origin\r\n",
			      connection->origin);
}

void connection_respond(struct connection *connection, unsigned status, const char *content_type,
			const char *body, size_t len)
{
	struct buffer response = {0};

	if (connection->state != CONNECTION_WAITING)
		return;
	buffer_printf(&response,
		      "HTTP/1.1 %u %s\r\nContent-Type: %s\r\nCache-Control: no-store\r\n"
		      "Connection: close\r\nContent-Length: %zu\r\n",
		      status, handshake_status_text(status), content_type, len);
	append_cors(connection, &response);
	buffer_append_str(&response, "\r\n");
	buffer_append(&response, body, len);
	finish_with(connection, &response);
	buffer_free(&response);
}

static void preflight(struct connection *connection)
{
	struct buffer response = {0};

	buffer_append_str(&response, "HTTP/1.1 204 No Content\r\nConnection: close\r\n"
				     "Access-Control-Allow-Methods: GET, POST\r\n"
				     "Access-Control-Allow-Headers: authorization, content-type, "
				     "last-event-id\r\nAccess-Control-Max-Age: 600\r\n");
	append_cors(connection, &response);
	buffer_append_str(&response, "\r\n");
	finish_with(connection, &response);
	buffer_free(&response);
}

static void send_raw(struct connection *connection, const struct buffer *bytes)
{
	struct frame *frame = frame_raw(bytes->data, bytes->len);

	outlet_send_reply(&connection->outlet, frame);
	frame_unref(&frame);
}

/* X-Accel-Buffering: nginx must pass each event on at once. */
void connection_stream(struct connection *connection)
{
	struct buffer response = {0};

	if (connection->state != CONNECTION_WAITING)
		return;
	buffer_append_str(&response, "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
				     "Cache-Control: no-store\r\nX-Accel-Buffering: no\r\n"
				     "Connection: close\r\n");
	append_cors(connection, &response);
	buffer_append_str(&response, "\r\n");
	connection->state = CONNECTION_STREAM;
	connection->outlet.open = true;
	send_raw(connection, &response);
	buffer_free(&response);
}

/* ---- who it is for ---- */

/* Loopback and private networks: where our own proxy may be. */
static bool is_near(const char *address)
{
	struct in_addr v4;
	uint32_t host;

	if (inet_pton(AF_INET, address, &v4) != 1)
		return strcmp(address, "::1") == 0 || strncmp(address, "fd", 2) == 0;
	host = ntohl(v4.s_addr);
	return host >> 24 == 127 || host >> 24 == 10 || host >> 20 == 0xac1 || host >> 16 == 0xc0a8;
}

static bool is_address(const char *text)
{
	unsigned char bytes[16];

	return inet_pton(AF_INET, text, bytes) == 1 || inet_pton(AF_INET6, text, bytes) == 1;
}

static const struct ws_endpoint *find_endpoint(const struct ws_server *server, const char *path)
{
	const struct ws_endpoint *endpoint = server->set.endpoints;

	while (endpoint->path != NULL && strcmp(endpoint->path, path) != 0)
		endpoint++;
	return endpoint->path != NULL ? endpoint : NULL;
}

static void open_up(struct connection *connection, const struct request *request,
		    const struct ws_endpoint *endpoint)
{
	struct buffer response = {0};

	connection->deflate =
		connection->server->set.deflate && deflate_is_offered(request->extensions);
	handshake_accept(request, connection->deflate, &response);
	connection->state = CONNECTION_OPEN;
	connection->outlet.open = true;
	send_raw(connection, &response);
	buffer_free(&response);
	endpoint->on_open(connection, request, connection->server->set.context);
}

/* NULL: it may go on. */
static const struct request_refusal *check(const struct connection *connection,
					   const struct request *request,
					   const struct ws_endpoint *endpoint)
{
	if (endpoint == NULL)
		return &handshake_bad_path;
	if (connection->server->draining)
		return &handshake_draining;
	if (request->method == REQUEST_OTHER)
		return &handshake_bad_method;
	if (!request_origin_allowed(request, connection->server->set.origins))
		return &handshake_bad_origin;
	if (endpoint->on_request == NULL || request->upgrade)
		return endpoint->on_open != NULL ? handshake_check(request) : &handshake_bad_method;
	return NULL;
}

static void dispatch(struct connection *connection, const struct request *request,
		     const struct ws_endpoint *endpoint, const char *body)
{
	connection->deadline_ms = 0;
	if (is_near(connection->address) && is_address(request->real_ip))
		strcpy(connection->address, request->real_ip);
	if (request->upgrade) {
		open_up(connection, request, endpoint);
		return;
	}
	connection->state = CONNECTION_WAITING;
	if (request->origin[0] != '\0')
		connection->origin = mem_strdup(request->origin);
	if (request->method == REQUEST_OPTIONS)
		preflight(connection);
	else
		endpoint->on_request(connection, request, body, request->body_len,
				     connection->server->set.context);
}

/* Head and body are there, and maybe more. Returns how many bytes belong to the request; 0: more
   must come, or it was refused. */
static size_t take_request(struct connection *connection, const struct buffer *bytes,
			   size_t head_len)
{
	static const struct request_refusal too_large = {413, "payload_too_large",
							 "the body is too large"};
	struct request request;
	const struct request_refusal *refusal = request_parse(bytes->data, head_len, &request);
	const struct ws_endpoint *endpoint = NULL;

	if (refusal == NULL) {
		endpoint = find_endpoint(connection->server, request.path);
		refusal = check(connection, &request, endpoint);
	}
	if (refusal == NULL && request.body_len > connection->server->set.message_max)
		refusal = &too_large;
	if (refusal != NULL) {
		connection_refuse(connection, refusal);
		return 0;
	}
	if (bytes->len - head_len < request.body_len)
		return 0;
	dispatch(connection, &request, endpoint, bytes->data + head_len);
	return head_len + request.body_len;
}

void connection_take_request(struct connection *connection, const char *bytes, size_t len)
{
	struct buffer all;
	size_t head_len, used = 0;

	buffer_append(&connection->head, bytes, len);
	head_len = request_head_len(connection->head.data, connection->head.len);
	if (head_len > REQUEST_MAX || (head_len == 0 && connection->head.len > REQUEST_MAX))
		connection_refuse(connection, &handshake_too_large);
	/* What is called here may end the connection, and so free its buffer. */
	all = connection->head;
	connection->head = (struct buffer){0};
	if (head_len > 0 && connection->state == CONNECTION_REQUEST)
		used = take_request(connection, &all, head_len);
	if (connection->state == CONNECTION_REQUEST) {
		connection->head = all;
		return;
	}
	if (connection->state == CONNECTION_OPEN && used < all.len)
		connection_take_frames(connection, all.data + used, all.len - used);
	buffer_free(&all);
}
