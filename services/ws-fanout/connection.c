#include "connection_internal.h"

#include "clock.h"
#include "handshake.h"
#include "log.h"
#include "mem.h"

#include <stdlib.h>
#include <string.h>

#define HANDSHAKE_MS 5000
#define CLOSE_MS     2000
#define MESSAGE_MS   30000 /* a message must be complete so long after it began */
/* Messages per second, and at once, that a client may send. */
#define TOKENS_REFILL 50
#define TOKENS_MAX    200
#define PINGS_MISSED  2
/* Past what the kernel takes a slow client waits in our own queue, which is bounded and shared. */
#define SEND_BUFFER 131072

/* ---- life ---- */

static void on_closed(uv_handle_t *handle)
{
	struct connection *connection = handle->data;

	if (connection->user != NULL)
		connection->server->set.hooks->on_gone(connection->user);
	outbox_free(&connection->outbox);
	ws_server_remove(connection->server, connection);
	free(connection);
}

void connection_abort(struct connection *connection)
{
	if (connection->state == CONNECTION_CLOSED)
		return;
	connection->state = CONNECTION_CLOSED;
	buffer_free(&connection->head);
	input_free(&connection->input);
	uv_close((uv_handle_t *)&connection->tcp, on_closed);
}

static void read_peer_address(struct connection *connection)
{
	struct sockaddr_storage address;
	int len = sizeof(address);

	if (uv_tcp_getpeername(&connection->tcp, (struct sockaddr *)&address, &len) == 0)
		uv_ip_name((struct sockaddr *)&address, connection->address,
			   sizeof(connection->address));
}

static int adopt(struct connection *connection)
{
	int send_buffer = SEND_BUFFER;

	if (uv_accept((uv_stream_t *)&connection->server->listener,
		      (uv_stream_t *)&connection->tcp) != 0)
		return -1;
	read_peer_address(connection);
	uv_tcp_nodelay(&connection->tcp, 1);
	uv_send_buffer_size((uv_handle_t *)&connection->tcp, &send_buffer);
	return connection_read_start(connection);
}

void connection_accept(struct ws_server *server)
{
	struct connection *connection = mem_new(struct connection);

	connection->server = server;
	connection->since_ms = clock_wall_ms();
	connection->heard_ms = clock_mono_ms();
	connection->deadline_ms = connection->heard_ms + HANDSHAKE_MS;
	connection->message_max = PREAUTH_MESSAGE_MAX;
	connection->tokens = TOKENS_MAX;
	uv_tcp_init(server->loop, &connection->tcp);
	connection->tcp.data = connection;
	ws_server_add(server, connection);
	if (adopt(connection) < 0)
		connection_abort(connection);
	else if (server->count > server->set.connections_max)
		connection_refuse(connection, &handshake_full);
}

/* ---- sending ---- */

static void queue(struct connection *connection, struct frame *frame)
{
	outbox_push(&connection->outbox, frame);
	ws_server_mark_dirty(connection->server, connection);
}

static bool fits(const struct connection *connection, size_t len, size_t bound)
{
	return connection->outbox.bytes == 0 || connection->outbox.bytes + len <= bound;
}

/* Coalescing looks at every waiting frame, so it must pay: it has to free a quarter. */
static bool make_room(struct connection *connection, size_t len)
{
	size_t bound = connection->server->set.queue_max;

	connection_flush(connection);
	if (connection->state != CONNECTION_OPEN || fits(connection, len, bound))
		return true;
	connection->server->set.metrics->ws_coalesced_total += outbox_coalesce(&connection->outbox);
	return fits(connection, len, bound - bound / 4);
}

void connection_send(struct connection *connection, struct frame *frame)
{
	if (connection->state != CONNECTION_OPEN)
		return;
	if (!fits(connection, frame->len, connection->server->set.queue_max) &&
	    !make_room(connection, frame->len)) {
		connection->server->set.metrics->ws_resyncs_total++;
		log_info("client too slow", log_int("connection", (int64_t)connection->id),
			 log_str("address", connection->address));
		outbox_drop_waiting(&connection->outbox);
		connection_close(connection, CLOSE_RESYNC, "too slow: come back with your cursors");
	}
	connection_send_reply(connection, frame);
}

void connection_send_reply(struct connection *connection, struct frame *frame)
{
	if (connection->state == CONNECTION_OPEN)
		queue(connection, frame);
}

void connection_send_text(struct connection *connection, const char *text, size_t len)
{
	struct frame *frame = frame_text(text, len);

	connection_send_reply(connection, frame);
	frame_unref(&frame);
}

size_t connection_queued(const struct connection *connection)
{
	return connection->outbox.bytes;
}

size_t connection_queued_frames(const struct connection *connection)
{
	return connection->outbox.count;
}

bool connection_has_room(const struct connection *connection)
{
	return connection->outbox.bytes < connection->server->set.queue_max / 4;
}

void connection_want_room(struct connection *connection)
{
	connection->wants_room = true;
}

/* ---- ending ---- */

void connection_finish(struct connection *connection, struct frame *last, bool expect_answer)
{
	connection->state = CONNECTION_CLOSING;
	connection->finish = !expect_answer;
	connection->deadline_ms = clock_mono_ms() + CLOSE_MS;
	queue(connection, last);
}

void connection_close(struct connection *connection, enum close_code code, const char *reason)
{
	struct frame *frame;

	if (connection->state != CONNECTION_OPEN)
		return;
	frame = frame_close((uint16_t)code, reason);
	connection_finish(connection, frame, true);
	frame_unref(&frame);
}

/* ---- time ---- */

static void tick_open(struct connection *connection, int64_t now_ms)
{
	int64_t ping_ms = connection->server->set.ping_ms;
	int64_t silent = now_ms - connection->heard_ms;

	connection->tokens = connection->tokens > TOKENS_MAX - TOKENS_REFILL
				     ? TOKENS_MAX
				     : (uint16_t)(connection->tokens + TOKENS_REFILL);
	if (silent > ping_ms * (PINGS_MISSED + 1)) {
		connection->server->set.metrics->ws_gone_total++;
		connection_abort(connection);
		return;
	}
	if (silent >= ping_ms * (connection->pings + 1)) {
		connection->pings++;
		connection_send_reply(connection, connection->server->ping);
	}
	if (connection->input != NULL && now_ms - connection->message_since_ms > MESSAGE_MS)
		connection_close(connection, CLOSE_POLICY, "a message took too long");
	connection->server->set.hooks->on_tick(connection->user);
}

void connection_tick(struct connection *connection, int64_t now_ms)
{
	switch ((enum connection_state)connection->state) {
	case CONNECTION_HANDSHAKE:
		if (now_ms >= connection->deadline_ms)
			connection_refuse(connection, &handshake_too_slow);
		break;
	case CONNECTION_OPEN:
		tick_open(connection, now_ms);
		break;
	case CONNECTION_CLOSING:
		if (now_ms >= connection->deadline_ms)
			connection_abort(connection);
		break;
	case CONNECTION_CLOSED:
		break;
	}
}

/* ---- questions ---- */

bool connection_is_open(const struct connection *connection)
{
	return connection->state == CONNECTION_OPEN;
}

void connection_set_message_max(struct connection *connection, size_t bytes)
{
	connection->message_max = bytes;
}

uint64_t connection_id(const struct connection *connection)
{
	return connection->id;
}

const char *connection_address(const struct connection *connection)
{
	return connection->address;
}

int64_t connection_since_ms(const struct connection *connection)
{
	return connection->since_ms;
}

void *connection_user(const struct connection *connection)
{
	return connection->user;
}
