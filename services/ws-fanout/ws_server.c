#include "connection_internal.h"

#include "clock.h"
#include "log.h"
#include "loop.h"
#include "mem.h"

#include <stdlib.h>
#include <string.h>

#define BACKLOG       4096
#define TICK_MS       1000
#define DRAIN_STEP_MS 20
#define DRAIN_PER_MS  4 /* few sockets need not take long */

/* ---- the list of connections ---- */

void ws_server_add(struct ws_server *server, struct connection *connection)
{
	connection->id = ++server->next_id;
	connection->prev = server->last;
	if (server->last != NULL)
		server->last->next = connection;
	else
		server->first = connection;
	server->last = connection;
	server->count++;
	server->set.metrics->ws_connections++;
	server->set.metrics->ws_accepted_total++;
}

static void unmark(struct ws_server *server, struct connection *connection)
{
	struct connection **link = &server->dirty;

	while (*link != connection)
		link = &(*link)->next_dirty;
	*link = connection->next_dirty;
}

static void free_when_empty(struct ws_server *server)
{
	if (!server->closing || server->handles > 0 || server->count > 0)
		return;
	frame_unref(&server->ping);
	frame_unref(&server->comment);
	free(server);
}

void ws_server_remove(struct ws_server *server, struct connection *connection)
{
	if (connection->is_dirty)
		unmark(server, connection);
	*(connection->prev != NULL ? &connection->prev->next : &server->first) = connection->next;
	*(connection->next != NULL ? &connection->next->prev : &server->last) = connection->prev;
	server->count--;
	if (!server->closing)
		server->set.metrics->ws_connections--;
	free_when_empty(server);
}

size_t ws_server_count(const struct ws_server *server)
{
	return server->count;
}

const struct outlet_limits *ws_server_limits(const struct ws_server *server)
{
	return &server->limits;
}

/* ---- writing ---- */

void ws_server_mark_dirty(struct ws_server *server, struct connection *connection)
{
	if (connection->is_dirty || connection->state == CONNECTION_CLOSED)
		return;
	connection->is_dirty = true;
	connection->next_dirty = server->dirty;
	server->dirty = connection;
}

/* A flush may make room and so queue more: for the same connection, which takes it at once. */
void ws_server_flush(struct ws_server *server)
{
	while (server->dirty != NULL) {
		struct connection *connection = server->dirty;

		server->dirty = connection->next_dirty;
		connection->is_dirty = false;
		connection_flush(connection);
	}
}

static void on_prepare(uv_prepare_t *handle)
{
	ws_server_flush(handle->data);
}

/* ---- time ---- */

static void on_tick(void *context)
{
	struct ws_server *server = context;
	int64_t now_ms = clock_mono_ms(), queued = 0;

	for (struct connection *each = server->first; each != NULL; each = each->next) {
		connection_tick(each, now_ms);
		queued += (int64_t)each->outlet.outbox.bytes;
	}
	server->set.metrics->ws_queued_bytes = queued;
}

/* ---- life ---- */

static void on_connection(uv_stream_t *listener, int status)
{
	if (status < 0)
		log_warn("cannot accept", log_str("error", uv_strerror(status)));
	else
		connection_accept(listener->data);
}

/* "address:port", "[address]:port" */
static int parse_listen(const char *listen, struct sockaddr_storage *address_r)
{
	char host[64];
	const char *colon = strrchr(listen, ':');
	size_t len = colon != NULL ? (size_t)(colon - listen) : sizeof(host);
	int port;

	if (len >= sizeof(host))
		return -1;
	memcpy(host, listen, len);
	host[len] = '\0';
	port = (int)strtol(colon + 1, NULL, 10);
	if (host[0] == '[' && host[len - 1] == ']') {
		host[len - 1] = '\0';
		return uv_ip6_addr(host + 1, port, (struct sockaddr_in6 *)address_r);
	}
	return uv_ip4_addr(host, port, (struct sockaddr_in *)address_r);
}

static int start_listening(struct ws_server *server, const char **error_r)
{
	struct sockaddr_storage address = {0};
	int status;

	if (parse_listen(server->set.listen, &address) != 0) {
		*error_r = "WS_LISTEN is not an address and a port";
		return -1;
	}
	status = uv_tcp_bind(&server->listener, (const struct sockaddr *)&address, 0);
	if (status == 0)
		status = uv_listen((uv_stream_t *)&server->listener, BACKLOG, on_connection);
	if (status != 0)
		*error_r = status == UV_EADDRINUSE ? "WS_LISTEN: the port is taken"
						   : uv_strerror(status);
	return status == 0 ? 0 : -1;
}

struct ws_server *ws_server_open(uv_loop_t *loop, const struct ws_server_settings *set,
				 const char **error_r)
{
	struct ws_server *server = mem_new(struct ws_server);
	char *payload;

	server->loop = loop;
	server->set = *set;
	server->limits = (struct outlet_limits){loop, set->queue_max, set->metrics};
	server->ping = frame_new(FRAME_PING, 0, &payload);
	server->comment = frame_raw(":\n\n", 3);
	uv_tcp_init(loop, &server->listener);
	server->listener.data = server;
	uv_prepare_init(loop, &server->flusher);
	server->flusher.data = server;
	server->handles = 2;
	server->ticker = timer_start(loop, TICK_MS, TICK_MS, on_tick, server);
	uv_prepare_start(&server->flusher, on_prepare);
	uv_unref((uv_handle_t *)&server->flusher);
	if (start_listening(server, error_r) == 0)
		return server;
	ws_server_close(&server);
	return NULL;
}

/* As many are closed as the share of the time that has gone by asks for: oldest first. */
static void on_drain(void *context)
{
	struct ws_server *server = context;
	int64_t gone_ms = clock_mono_ms() - server->drain_started_ms;
	size_t due = server->drain_count;

	if (gone_ms < server->drain_ms)
		due = (size_t)((int64_t)server->drain_count * gone_ms / server->drain_ms) + 1;
	for (struct connection *each = server->first; each != NULL && server->drain_closed < due;
	     each = each->next) {
		if (each->state == CONNECTION_CLOSING || each->state == CONNECTION_CLOSED)
			continue;
		server->drain_closed++;
		connection_go_away(each);
	}
}

void ws_server_drain(struct ws_server *server)
{
	server->draining = true;
	server->drain_started_ms = clock_mono_ms();
	server->drain_count = server->count;
	server->drain_ms = (int64_t)server->count / DRAIN_PER_MS;
	if (server->drain_ms > server->set.drain_ms)
		server->drain_ms = server->set.drain_ms;
	server->drainer = timer_start(server->loop, 0, DRAIN_STEP_MS, on_drain, server);
}

static void on_handle_closed(uv_handle_t *handle)
{
	struct ws_server *server = handle->data;

	server->handles--;
	free_when_empty(server);
}

void ws_server_close(struct ws_server **server)
{
	struct ws_server *old = *server;

	*server = NULL;
	if (old == NULL)
		return;
	old->closing = true;
	timer_stop(&old->ticker);
	timer_stop(&old->drainer);
	for (struct connection *each = old->first; each != NULL; each = each->next) {
		void *user = each->user;
		const struct connection_hooks *hooks = each->hooks;

		connection_set_user(each, NULL, NULL);
		connection_abort(each);
		if (hooks != NULL && hooks->on_gone != NULL)
			hooks->on_gone(user);
	}
	uv_close((uv_handle_t *)&old->listener, on_handle_closed);
	uv_close((uv_handle_t *)&old->flusher, on_handle_closed);
}
