/* What comes from a client: the handshake, then messages. */
#include "connection_internal.h"

#include "clock.h"
#include "handshake.h"

#include <arpa/inet.h>
#include <string.h>

/* ---- handshake ---- */

void connection_refuse(struct connection *connection, const struct handshake_refusal *refusal)
{
	struct buffer response = {0};
	struct frame *frame;

	connection->server->set.metrics->ws_handshakes_refused_total++;
	handshake_refuse(refusal, &response);
	frame = frame_raw(response.data, response.len);
	connection_finish(connection, frame, false);
	frame_unref(&frame);
	buffer_free(&response);
}

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

static void open_up(struct connection *connection, const struct handshake *handshake)
{
	struct buffer response = {0};
	struct frame *frame;

	if (is_near(connection->address) && is_address(handshake->real_ip))
		strcpy(connection->address, handshake->real_ip);
	handshake_accept(handshake, &response);
	frame = frame_raw(response.data, response.len);
	connection->state = CONNECTION_OPEN;
	connection->deadline_ms = 0;
	connection_send_reply(connection, frame);
	frame_unref(&frame);
	buffer_free(&response);
	connection->user =
		connection->server->set.hooks->on_open(connection, connection->server->set.context);
}

static void read_head(struct connection *connection, size_t head_len)
{
	struct handshake handshake;
	const struct handshake_refusal *refusal =
		handshake_parse(connection->head.data, head_len, &handshake);

	if (refusal == NULL && connection->server->draining)
		refusal = &handshake_draining;
	if (refusal == NULL &&
	    !handshake_origin_allowed(&handshake, connection->server->set.origins))
		refusal = &handshake_bad_origin;
	if (refusal != NULL)
		connection_refuse(connection, refusal);
	else
		open_up(connection, &handshake);
}

static void take_message_bytes(struct connection *connection, const char *bytes, size_t len);

static void take_head_bytes(struct connection *connection, const char *bytes, size_t len)
{
	size_t old_len = connection->head.len, head_len, early_from;

	buffer_append(&connection->head, bytes, len);
	head_len = handshake_head_len(connection->head.data, connection->head.len);
	if (head_len > HANDSHAKE_MAX || (head_len == 0 && connection->head.len > HANDSHAKE_MAX)) {
		connection_refuse(connection, &handshake_too_large);
	} else if (head_len > 0) {
		early_from = head_len - old_len; /* the head ends in these bytes */
		read_head(connection, head_len);
		if (connection->state == CONNECTION_OPEN && early_from < len)
			take_message_bytes(connection, bytes + early_from, len - early_from);
	}
	if (connection->state != CONNECTION_HANDSHAKE)
		buffer_free(&connection->head);
}

/* ---- messages ---- */

static void on_any(void *context)
{
	struct connection *connection = context;

	if (connection->tokens == 0)
		connection_close(connection, CLOSE_TOO_MANY, "too many messages");
	else
		connection->tokens--;
}

static void on_text(const char *text, size_t len, void *context)
{
	struct connection *connection = context;

	if (connection->state != CONNECTION_OPEN)
		return;
	connection->server->set.metrics->ws_messages_total++;
	connection->server->set.hooks->on_message(connection->user, text, len);
}

static const char *breach_text(uint16_t code)
{
	switch (code) {
	case 1003:
		return "binary messages are not understood";
	case 1007:
		return "not UTF-8";
	case 1009:
		return "the message is too large";
	case 1008:
		return "too many fragments";
	default:
		return "protocol error";
	}
}

static void send_replies(struct connection *connection, enum input_end end,
			 const struct buffer *replies)
{
	struct frame *frame;

	if (replies->len == 0 || connection->state != CONNECTION_OPEN)
		return;
	frame = frame_raw(replies->data, replies->len);
	if (end == INPUT_PEER_CLOSED)
		connection_finish(connection, frame, false);
	else
		connection_send_reply(connection, frame);
	frame_unref(&frame);
}

static void take_message_bytes(struct connection *connection, const char *bytes, size_t len)
{
	static const struct input_hooks hooks = {on_any, on_text};
	struct buffer replies = {0};
	uint16_t code = 0;

	if (connection->input == NULL)
		connection->message_since_ms = connection->heard_ms;
	enum input_end end = input_feed(&connection->input, bytes, len, connection->message_max,
					&hooks, connection, &replies, &code);
	send_replies(connection, end, &replies);
	buffer_free(&replies);
	if (end == INPUT_GOES_ON)
		return;
	if (end == INPUT_FAILED && connection->state == CONNECTION_OPEN) {
		connection->server->set.metrics->ws_breaches_total++;
		connection_close(connection, code, breach_text(code));
	}
	connection->finish = true;
	ws_server_mark_dirty(connection->server, connection);
}

/* ---- the socket ---- */

static void take(struct connection *connection, const char *bytes, size_t len)
{
	connection->heard_ms = clock_mono_ms();
	connection->pings = 0;
	if (connection->state == CONNECTION_HANDSHAKE)
		take_head_bytes(connection, bytes, len);
	else if (connection->state == CONNECTION_OPEN || !connection->finish)
		take_message_bytes(connection, bytes, len);
}

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buf)
{
	struct connection *connection = handle->data;

	(void)suggested;
	*buf = uv_buf_init(connection->server->read_buffer,
			   sizeof(connection->server->read_buffer));
}

static void on_read(uv_stream_t *stream, ssize_t len, const uv_buf_t *buf)
{
	struct connection *connection = stream->data;

	if (len < 0) {
		if (connection->state == CONNECTION_CLOSING)
			connection_flush(connection); /* a half-closed client still reads */
		connection_abort(connection);
	}
	if (len > 0)
		take(connection, buf->base, (size_t)len);
}

int connection_read_start(struct connection *connection)
{
	return uv_read_start((uv_stream_t *)&connection->tcp, on_alloc, on_read);
}
