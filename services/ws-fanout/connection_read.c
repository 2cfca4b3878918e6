/* What comes from a client once it is connected: WebSocket messages. */
#include "connection_internal.h"

#include "clock.h"

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
	if (connection->hooks != NULL && connection->hooks->on_message != NULL)
		connection->hooks->on_message(connection->user, text, len);
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
		outlet_send_reply(&connection->outlet, frame);
	frame_unref(&frame);
}

void connection_take_frames(struct connection *connection, const char *bytes, size_t len)
{
	static const struct input_hooks hooks = {on_any, on_text};
	struct buffer replies = {0};
	uint16_t code = 0;

	if (connection->input == NULL)
		connection->message_since_ms = connection->heard_ms;
	struct input_limits limits = {connection->message_max, connection->deflate};
	enum input_end end = input_feed(&connection->input, bytes, len, limits, &hooks, connection,
					&replies, &code);
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
	switch ((enum connection_state)connection->state) {
	case CONNECTION_REQUEST:
		connection_take_request(connection, bytes, len);
		break;
	case CONNECTION_OPEN:
		connection->heard_ms = clock_mono_ms();
		connection->pings = 0;
		connection_take_frames(connection, bytes, len);
		break;
	case CONNECTION_CLOSING:
		if (!connection->finish)
			connection_take_frames(connection, bytes, len);
		break;
	case CONNECTION_WAITING:
	case CONNECTION_STREAM:
	case CONNECTION_CLOSED:
		break;
	}
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
