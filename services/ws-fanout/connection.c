#include "connection_internal.h"

#include "clock.h"
#include "handshake.h"
#include "log.h"
#include "mem.h"

#include <stdlib.h>
#include <string.h>

#define REQUEST_MS 5000
#define CLOSE_MS   2000
#define MESSAGE_MS 30000 /* a message must be complete so long after it began */
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

	if (connection->hooks != NULL && connection->hooks->on_gone != NULL)
		connection->hooks->on_gone(connection->user);
	outbox_free(&connection->outlet.outbox);
	ws_server_remove(connection->server, connection);
	free(connection->origin);
	free(connection);
}

void connection_abort(struct connection *connection)
{
	if (connection->state == CONNECTION_CLOSED)
		return;
	connection->state = CONNECTION_CLOSED;
	connection->outlet.open = false;
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

/* ---- the outlet ---- */

static struct connection *of_outlet(struct outlet *outlet)
{
	return (struct connection *)((char *)outlet - offsetof(struct connection, outlet));
}

static void on_wake(struct outlet *outlet)
{
	struct connection *connection = of_outlet(outlet);

	ws_server_mark_dirty(connection->server, connection);
}

static void on_close(struct outlet *outlet, enum close_code code, const char *reason)
{
	struct connection *connection = of_outlet(outlet);

	if (code == CLOSE_RESYNC)
		log_info("client too slow", log_int("connection", (int64_t)connection->id),
			 log_str("address", connection->address));
	connection_close(connection, code, reason);
}

static void on_room(struct outlet *outlet)
{
	struct connection *connection = of_outlet(outlet);

	if (connection->hooks != NULL && connection->hooks->on_room != NULL)
		connection->hooks->on_room(connection->user);
}

static const struct outlet_class outlet_class = {
	.wake = on_wake, .close = on_close, .on_room = on_room};

void connection_accept(struct ws_server *server)
{
	struct connection *connection = mem_new(struct connection);

	connection->server = server;
	connection->outlet.class = &outlet_class;
	connection->outlet.limits = &server->limits;
	connection->since_ms = clock_wall_ms();
	connection->heard_ms = clock_mono_ms();
	connection->deadline_ms = connection->heard_ms + REQUEST_MS;
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

/* ---- ending ---- */

void connection_finish(struct connection *connection, struct frame *last, bool expect_answer)
{
	connection->state = CONNECTION_CLOSING;
	connection->outlet.open = false;
	connection->finish = !expect_answer;
	connection->deadline_ms = clock_mono_ms() + CLOSE_MS;
	if (last != NULL)
		outbox_push(&connection->outlet.outbox, last);
	ws_server_mark_dirty(connection->server, connection);
}

void connection_close(struct connection *connection, enum close_code code, const char *reason)
{
	struct frame *frame;

	if (connection->state == CONNECTION_STREAM)
		connection_finish(connection, NULL, false);
	if (connection->state != CONNECTION_OPEN)
		return;
	frame = frame_close((uint16_t)code, reason);
	connection_finish(connection, frame, true);
	frame_unref(&frame);
}

void connection_go_away(struct connection *connection)
{
	if (connection->state == CONNECTION_REQUEST)
		connection_refuse(connection, &handshake_draining);
	else if (connection->hooks != NULL && connection->hooks->on_leaving != NULL)
		connection->hooks->on_leaving(connection->user);
	else
		connection_close(connection, CLOSE_GOING_AWAY, "going away");
}

/* ---- time ---- */

static void tick_user(struct connection *connection)
{
	outlet_judge(&connection->outlet);
	if (connection->hooks != NULL && connection->hooks->on_tick != NULL)
		connection->hooks->on_tick(connection->user);
}

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
		outlet_send_reply(&connection->outlet, connection->server->ping);
	}
	if (connection->input != NULL && now_ms - connection->message_since_ms > MESSAGE_MS)
		connection_close(connection, CLOSE_POLICY, "a message took too long");
	tick_user(connection);
}

/* A reader of a stream says nothing: it is there as long as it takes what is sent. */
static void tick_stream(struct connection *connection, int64_t now_ms)
{
	int64_t ping_ms = connection->server->set.ping_ms;

	if (connection->writing == NULL && now_ms - connection->heard_ms >= ping_ms) {
		connection->heard_ms = now_ms;
		outlet_send_reply(&connection->outlet, connection->server->comment);
	} else if (now_ms - connection->heard_ms > ping_ms * (PINGS_MISSED + 1)) {
		connection->server->set.metrics->ws_gone_total++;
		connection_abort(connection);
		return;
	}
	tick_user(connection);
}

void connection_tick(struct connection *connection, int64_t now_ms)
{
	switch ((enum connection_state)connection->state) {
	case CONNECTION_REQUEST:
		if (now_ms >= connection->deadline_ms)
			connection_refuse(connection, &handshake_too_slow);
		break;
	case CONNECTION_OPEN:
		tick_open(connection, now_ms);
		break;
	case CONNECTION_STREAM:
		tick_stream(connection, now_ms);
		break;
	case CONNECTION_CLOSING:
		if (now_ms >= connection->deadline_ms)
			connection_abort(connection);
		break;
	case CONNECTION_WAITING: /* whoever holds it answers in time */
	case CONNECTION_CLOSED:
		break;
	}
}

/* ---- questions ---- */

struct outlet *connection_outlet(struct connection *connection)
{
	return &connection->outlet;
}

void connection_set_user(struct connection *connection, void *user,
			 const struct connection_hooks *hooks)
{
	connection->user = user;
	connection->hooks = hooks;
}

void *connection_user(const struct connection *connection)
{
	return connection->user;
}

void connection_set_message_max(struct connection *connection, size_t bytes)
{
	connection->message_max = bytes;
}

bool connection_deflates(const struct connection *connection)
{
	return connection->deflate;
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
