/* What goes to a client: as much as the socket takes at once; one uv_write for the rest. */
#include "connection_internal.h"

#include "clock.h"
#include "mem.h"

#include <stdlib.h>

#define PIECES_MAX 64

static void written(struct connection *connection, size_t len)
{
	connection->server->set.metrics->ws_deliveries_total +=
		outbox_written(&connection->outlet.outbox, len);
	if (len == 0)
		return;
	if (connection->state == CONNECTION_STREAM)
		connection->heard_ms = clock_mono_ms();
	outlet_drained(&connection->outlet);
}

static void on_written(uv_write_t *write, int status)
{
	struct connection *connection = write->handle->data;

	free(write);
	connection->writing = NULL;
	if (status < 0) {
		connection_abort(connection);
		return;
	}
	written(connection, connection->writing_len);
	connection_flush(connection);
}

static size_t total(const uv_buf_t *bufs, unsigned count)
{
	size_t sum = 0;

	for (unsigned i = 0; i < count; i++)
		sum += bufs[i].len;
	return sum;
}

/* The socket is full: libuv waits for it. What it holds must stay where it is. */
static void write_later(struct connection *connection)
{
	uv_buf_t bufs[PIECES_MAX];
	unsigned count = outbox_peek(&connection->outlet.outbox, bufs, PIECES_MAX);

	connection->writing = mem_new(uv_write_t);
	connection->writing_len = total(bufs, count);
	outbox_hold(&connection->outlet.outbox, count);
	if (uv_write(connection->writing, (uv_stream_t *)&connection->tcp, bufs, count,
		     on_written) == 0)
		return;
	free(connection->writing);
	connection->writing = NULL;
	connection_abort(connection);
}

/* Returns whether the socket took everything. */
static bool write_some(struct connection *connection)
{
	uv_buf_t bufs[PIECES_MAX];
	unsigned count = outbox_peek(&connection->outlet.outbox, bufs, PIECES_MAX);
	size_t wanted = total(bufs, count);
	int len = uv_try_write((uv_stream_t *)&connection->tcp, bufs, count);

	if (len < 0 && len != UV_EAGAIN) {
		connection_abort(connection);
		return false;
	}
	written(connection, len > 0 ? (size_t)len : 0);
	if (len == (int)wanted)
		return true;
	if (connection->state != CONNECTION_CLOSED && connection->writing == NULL)
		write_later(connection);
	return false;
}

static void on_shut_down(uv_shutdown_t *request, int status)
{
	struct connection *connection = request->handle->data;

	free(request);
	if (status < 0)
		connection_abort(connection);
}

static void shut_down(struct connection *connection)
{
	uv_shutdown_t *request = mem_new(uv_shutdown_t);

	connection->shut_down = true;
	if (uv_shutdown(request, (uv_stream_t *)&connection->tcp, on_shut_down) == 0)
		return;
	free(request);
	connection_abort(connection);
}

void connection_flush(struct connection *connection)
{
	while (connection->state != CONNECTION_CLOSED && connection->writing == NULL &&
	       connection->outlet.outbox.count > 0) {
		if (!write_some(connection))
			return;
	}
	if (connection->state == CONNECTION_CLOSING && connection->finish &&
	    connection->writing == NULL && !connection->shut_down)
		shut_down(connection);
}
