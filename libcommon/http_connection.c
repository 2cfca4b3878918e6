/* Connections and their deadlines. libmicrohttpd's own time-out is of inactivity only, so that one
   byte a second would hold a connection for ever: each connection has one deadline for what it is
   doing now (waiting for a request, reading it, answering it, sending the reply), and a sweep acts
   on those that have passed. */
#include "http_internal.h"

#include "clock.h"
#include "mem.h"

#include <stdlib.h>
#include <sys/socket.h>

#define SWEEP_MIN_MS 10
#define SWEEP_MAX_MS 250

void http_connection_deadline(struct http_connection *connection, int64_t in_ms)
{
	connection->deadline_ms = clock_mono_ms() + in_ms;
}

/* A handler that is late: 504. Everything else: libmicrohttpd sees the end of the connection. */
static void act(struct http_connection *connection)
{
	struct http_request *request = connection->request;

	if (request != NULL && request->held && !request->answered) {
		http_reply_late(request);
		return;
	}
	connection->deadline_ms = INT64_MAX;
	connection->server->values.http_connections_cut_total++;
	shutdown(connection->fd, SHUT_RDWR);
	http_loop_wake(connection->server);
}

static void on_sweep(void *context)
{
	struct http_server *server = context;
	int64_t now = clock_mono_ms();
	struct http_connection *connection;

	LIST_FOREACH(connection, &server->connections, entry)
	if (connection->deadline_ms <= now)
		act(connection);
}

static void start_sweep(struct http_server *server)
{
	int64_t every_ms = server->settings->request_deadline_ms / 10;

	if (every_ms < SWEEP_MIN_MS)
		every_ms = SWEEP_MIN_MS;
	if (every_ms > SWEEP_MAX_MS)
		every_ms = SWEEP_MAX_MS;
	server->sweep = timer_start(server->loop, every_ms, every_ms, on_sweep, server);
}

static struct http_connection *add(struct http_server *server, struct MHD_Connection *mhd)
{
	struct http_connection *connection = mem_new(struct http_connection);
	const union MHD_ConnectionInfo *info;

	connection->server = server;
	info = MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_CONNECTION_FD);
	connection->fd = info->connect_fd;
	info = MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
	http_address_text(info->client_addr, connection->address);
	http_connection_deadline(connection, server->settings->request_deadline_ms);
	if (LIST_EMPTY(&server->connections))
		start_sweep(server);
	LIST_INSERT_HEAD(&server->connections, connection, entry);
	server->values.http_connections++;
	return connection;
}

static void drop(struct http_server *server, struct http_connection *connection)
{
	LIST_REMOVE(connection, entry);
	server->values.http_connections--;
	server->ended++;
	if (LIST_EMPTY(&server->connections))
		timer_stop(&server->sweep);
	free(connection);
}

void http_connection_notify(void *server, struct MHD_Connection *mhd, void **socket_context,
			    enum MHD_ConnectionNotificationCode code)
{
	if (code == MHD_CONNECTION_NOTIFY_STARTED)
		*socket_context = add(server, mhd);
	else if (*socket_context != NULL)
		drop(server, *socket_context);
}
