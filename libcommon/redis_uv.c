#include "redis_uv.h"

#include "buffer.h"
#include "loop.h"
#include "mem.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* hiredis moves the rest of its buffer whenever it has consumed 1 KB: small pieces keep that cheap.
 */
#define FEED_MAX      16384
#define READ_MAX      65536
#define KEEP_MAX      (1 << 20) /* a burst's buffer above this goes back to the system */
#define KEEPALIVE_SEC 15

struct redis_uv {
	uv_tcp_t tcp;
	uv_prepare_t flusher; /* runs just before the loop polls, while something is unsent */
	uv_getaddrinfo_t lookup;
	uv_connect_t connecting;
	uv_write_t writing;
	unsigned references; /* tcp, flusher and lookup: what libuv still holds of this struct */
	bool is_writing, is_closed;
	int port;
	int early_error; /* told from the loop, since no hook is called within redis_uv_connect() */
	struct timer *deadline;
	redisReader *reader;
	struct buffer unsent;  /* for the next flush */
	struct buffer sending; /* lent to libuv while is_writing */
	struct redis_uv_hooks hooks;
};

static void unref(struct redis_uv *conn)
{
	if (--conn->references > 0)
		return;
	redisReaderFree(conn->reader);
	buffer_free(&conn->unsent);
	buffer_free(&conn->sending);
	free(conn);
}

static void on_handle_closed(uv_handle_t *handle)
{
	unref(handle->data);
}

/* What was said just before the end (a lease given back) goes out if the kernel takes it at once.
 */
static void send_last(struct redis_uv *conn)
{
	uv_buf_t bytes = uv_buf_init(conn->unsent.data, (unsigned)conn->unsent.len);

	(void)uv_try_write((uv_stream_t *)&conn->tcp, &bytes, 1);
}

void redis_uv_close(struct redis_uv **_conn)
{
	struct redis_uv *conn = *_conn;

	*_conn = NULL;
	if (conn == NULL)
		return;
	conn->is_closed = true;
	if (conn->unsent.len > 0 && !conn->is_writing)
		send_last(conn);
	timer_stop(&conn->deadline);
	uv_cancel((uv_req_t *)&conn->lookup);
	uv_close((uv_handle_t *)&conn->tcp, on_handle_closed);
	uv_close((uv_handle_t *)&conn->flusher, on_handle_closed);
}

static void lose(struct redis_uv *conn, const char *reason)
{
	struct redis_uv_hooks hooks = conn->hooks;

	redis_uv_close(&conn);
	hooks.on_lost(reason, hooks.context);
}

/* ---- bytes out ---- */

static void release_burst(struct buffer *buffer)
{
	if (buffer->cap > KEEP_MAX)
		buffer_free(buffer);
	else
		buffer_clear(buffer);
}

static void on_written(uv_write_t *request, int status)
{
	struct redis_uv *conn = request->data;

	conn->is_writing = false;
	if (conn->is_closed)
		return;
	release_burst(&conn->sending);
	if (status < 0)
		lose(conn, uv_strerror(status));
}

/* What the kernel does not take at once is lent to libuv; meanwhile unsent collects the next. */
static void flush(struct redis_uv *conn)
{
	uv_buf_t bytes = uv_buf_init(conn->unsent.data, (unsigned)conn->unsent.len);
	int taken = uv_try_write((uv_stream_t *)&conn->tcp, &bytes, 1);
	struct buffer empty = conn->sending;

	if (taken < 0 && taken != UV_EAGAIN) {
		lose(conn, uv_strerror(taken));
		return;
	}
	if (taken > 0 && (size_t)taken == conn->unsent.len) {
		release_burst(&conn->unsent);
		return;
	}
	if (taken > 0) {
		bytes.base += taken;
		bytes.len -= (size_t)taken;
	}
	conn->sending = conn->unsent;
	conn->unsent = empty;
	conn->is_writing = true;
	conn->writing.data = conn;
	if (uv_write(&conn->writing, (uv_stream_t *)&conn->tcp, &bytes, 1, on_written) < 0)
		lose(conn, "write refused");
}

static void on_flush(uv_prepare_t *flusher)
{
	struct redis_uv *conn = flusher->data;

	if (conn->is_writing)
		return;
	if (conn->unsent.len == 0)
		uv_prepare_stop(flusher);
	else
		flush(conn);
}

void redis_uv_send(struct redis_uv *conn, const void *bytes, size_t len)
{
	if (conn->unsent.len == 0)
		uv_prepare_start(&conn->flusher, on_flush);
	buffer_append(&conn->unsent, bytes, len);
}

size_t redis_uv_unsent(const struct redis_uv *conn)
{
	return conn->unsent.len + conn->sending.len;
}

/* ---- bytes in ---- */

/* Returns 0, or -1 when the connection is closed. */
static int deliver(struct redis_uv *conn)
{
	void *reply;

	for (;;) {
		if (redisReaderGetReply(conn->reader, &reply) != REDIS_OK) {
			char reason[160];

			snprintf(reason, sizeof(reason), "not the Redis protocol: %s",
				 conn->reader->errstr);
			lose(conn, reason);
			return -1;
		}
		if (reply == NULL)
			return 0;
		conn->hooks.on_reply(reply, conn->hooks.context);
		freeReplyObject(reply);
		if (conn->is_closed)
			return -1;
	}
}

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *bytes_r)
{
	static char space[READ_MAX]; /* one loop, one thread: every connection reads into it */

	(void)handle;
	(void)suggested;
	*bytes_r = uv_buf_init(space, sizeof(space));
}

static void on_read(uv_stream_t *stream, ssize_t count, const uv_buf_t *bytes)
{
	struct redis_uv *conn = stream->data;

	if (count < 0) {
		lose(conn, count == UV_EOF ? "closed by the server" : uv_strerror((int)count));
		return;
	}
	for (size_t at = 0; at < (size_t)count; at += FEED_MAX) {
		size_t left = (size_t)count - at;

		redisReaderFeed(conn->reader, bytes->base + at, left < FEED_MAX ? left : FEED_MAX);
		if (deliver(conn) < 0)
			return;
	}
}

/* ---- connect ---- */

static void on_deadline(void *context)
{
	struct redis_uv *conn = context;

	lose(conn, conn->early_error < 0 ? uv_strerror(conn->early_error) : "connect timed out");
}

static void on_connected(uv_connect_t *request, int status)
{
	struct redis_uv *conn = request->data;

	if (conn->is_closed)
		return;
	if (status >= 0)
		status = uv_read_start((uv_stream_t *)&conn->tcp, on_alloc, on_read);
	if (status < 0) {
		lose(conn, uv_strerror(status));
		return;
	}
	timer_stop(&conn->deadline);
	uv_tcp_nodelay(&conn->tcp, 1);
	uv_tcp_keepalive(&conn->tcp, 1, KEEPALIVE_SEC);
	conn->hooks.on_connect(conn->hooks.context);
}

static int connect_to(struct redis_uv *conn, const struct sockaddr *address)
{
	conn->connecting.data = conn;
	return uv_tcp_connect(&conn->connecting, &conn->tcp, address, on_connected);
}

/* IPv4 first, as hiredis does: a name that has both often has a server on one only. */
static const struct sockaddr *choose_address(const struct addrinfo *list)
{
	const struct addrinfo *at = list;

	while (at->ai_family != AF_INET && at->ai_next != NULL)
		at = at->ai_next;
	return at->ai_family == AF_INET ? at->ai_addr : list->ai_addr;
}

static void on_looked_up(uv_getaddrinfo_t *request, int status, struct addrinfo *list)
{
	struct redis_uv *conn = request->data;

	if (!conn->is_closed) {
		if (status >= 0)
			status = connect_to(conn, choose_address(list));
		if (status < 0)
			lose(conn, uv_strerror(status));
	}
	uv_freeaddrinfo(list);
	unref(conn);
}

/* On the thread pool: getaddrinfo() may take seconds. */
static int look_up(struct redis_uv *conn, const char *host)
{
	const struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV};
	char service[8];
	int status;

	snprintf(service, sizeof(service), "%d", conn->port);
	conn->lookup.data = conn;
	status = uv_getaddrinfo(conn->tcp.loop, &conn->lookup, on_looked_up, host, service, &hints);
	if (status >= 0)
		conn->references++;
	return status;
}

static int begin(struct redis_uv *conn, const char *host)
{
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;

	if (uv_ip4_addr(host, conn->port, &v4) == 0)
		return connect_to(conn, (const struct sockaddr *)&v4);
	if (uv_ip6_addr(host, conn->port, &v6) == 0)
		return connect_to(conn, (const struct sockaddr *)&v6);
	return look_up(conn, host);
}

struct redis_uv *redis_uv_connect(uv_loop_t *loop, const char *host, int port, int64_t timeout_ms,
				  const struct redis_uv_hooks *hooks)
{
	struct redis_uv *conn = mem_new(struct redis_uv);

	conn->hooks = *hooks;
	conn->port = port;
	conn->reader = redisReaderCreate();
	if (conn->reader == NULL)
		abort();
	uv_tcp_init(loop, &conn->tcp);
	uv_prepare_init(loop, &conn->flusher);
	conn->tcp.data = conn->flusher.data = conn;
	conn->references = 2;
	conn->early_error = begin(conn, host);
	if (conn->early_error < 0)
		timeout_ms = 0;
	conn->deadline = timer_start(loop, timeout_ms, 0, on_deadline, conn);
	return conn;
}
