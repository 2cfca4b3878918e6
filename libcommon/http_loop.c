/* libmicrohttpd with external epoll on a libuv loop. What 0.9.75 needs for that:
   - nothing wakes it after MHD_resume_connection(): it must be run by us. That is done in a prepare
     handle, after timers and before poll, so that no resume made in a callback sleeps in poll;
   - a listen socket that it parked at the connection limit is armed again only by the run after the
     one that closed a connection;
   - its epoll is edge-triggered: it is run again while it says that its time-out is 0;
   - a handler that runs within the prepare phase may start prepare handles of others (the Redis
     link sends from one). Those run in the next turn of the loop, so this one must not sleep;
   - stopping it with a suspended connection aborts: all are resumed before. */
#include "http_internal.h"

#include "clock.h"
#include "log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* Runs in a row before the rest of the loop gets its turn. */
#define ROUNDS 4
/* Request line and headers; a longer head is refused with 431 or 414. */
#define HEAD_MEMORY   16384
#define LIMIT_TOLD_MS 60000

static void run(struct http_server *server)
{
	unsigned long long wait_ms = 0;

	for (int round = 0; round < ROUNDS; round++) {
		uint64_t ended = server->ended;

		server->wanted = false;
		MHD_run(server->mhd);
		if (server->wanted || server->ended != ended)
			continue;
		if (MHD_get_timeout(server->mhd, &wait_ms) != MHD_YES)
			return;
		if (wait_ms > 0)
			break;
	}
	timer_again(server->wake, (int64_t)wait_ms);
}

static void on_idle(uv_idle_t *handle)
{
	uv_idle_stop(handle);
}

static void on_prepare(uv_prepare_t *handle)
{
	struct http_server *server = handle->data;
	uint64_t started = server->started;

	if (!server->wanted)
		return;
	run(server);
	if (server->started != started)
		uv_idle_start(&server->idle, on_idle);
}

static void on_poll(uv_poll_t *handle, int status, int events)
{
	(void)status;
	(void)events;
	run(handle->data);
}

static void on_wake(void *context)
{
	struct http_server *server = context;

	server->wanted = true;
}

void http_loop_wake(struct http_server *server)
{
	server->wanted = true;
}

/* It goes on by itself when others are closed. */
static void warn_of_limit(struct http_server *server)
{
	int64_t now = clock_mono_ms();

	if (server->limit_told_ms != 0 && now - server->limit_told_ms < LIMIT_TOLD_MS)
		return;
	server->limit_told_ms = now;
	log_warn("no descriptors left: new connections wait; raise the limit (ulimit -n)",
		 log_str("listen", server->settings->listen));
}

__attribute__((format(printf, 2, 0))) static void on_message(void *context, const char *format,
							     va_list args)
{
	char text[256];

	vsnprintf(text, sizeof(text), format, args);
	text[strcspn(text, "\r\n")] = '\0';
	log_debug("libmicrohttpd", log_str("message", text));
	if (strstr(text, "resource limit") != NULL)
		warn_of_limit(context);
}

static struct MHD_Daemon *start_mhd(struct http_server *server)
{
	return MHD_start_daemon(
		MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG, 0, NULL, NULL,
		http_on_request, server, MHD_OPTION_EXTERNAL_LOGGER, on_message, server,
		MHD_OPTION_LISTEN_SOCKET, server->listen_fd, MHD_OPTION_URI_LOG_CALLBACK,
		http_on_target, server, MHD_OPTION_NOTIFY_COMPLETED, http_on_completed, server,
		MHD_OPTION_NOTIFY_CONNECTION, http_connection_notify, server,
		MHD_OPTION_CONNECTION_LIMIT, (unsigned)server->settings->connections_max,
		MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)HEAD_MEMORY,
		MHD_OPTION_CONNECTION_TIMEOUT, 0u, MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_END);
}

int http_loop_start(struct http_server *server, const char **error_r)
{
	const union MHD_DaemonInfo *info;

	server->listen_fd = http_listen(server->settings->listen, error_r);
	if (server->listen_fd < 0)
		return -1;
	server->mhd = start_mhd(server);
	if (server->mhd == NULL) {
		close(server->listen_fd);
		*error_r = "libmicrohttpd cannot start";
		return -1;
	}
	info = MHD_get_daemon_info(server->mhd, MHD_DAEMON_INFO_EPOLL_FD);
	uv_poll_init(server->loop, &server->poll, info->epoll_fd);
	server->poll.data = server;
	uv_poll_start(&server->poll, UV_READABLE, on_poll);
	uv_prepare_init(server->loop, &server->prepare);
	server->prepare.data = server;
	uv_prepare_start(&server->prepare, on_prepare);
	uv_unref((uv_handle_t *)&server->prepare);
	uv_idle_init(server->loop, &server->idle);
	server->idle.data = server;
	server->wake = timer_start(server->loop, 0, 0, on_wake, server);
	return 0;
}

void http_loop_stop_listening(struct http_server *server)
{
	if (server->listen_fd < 0)
		return;
	MHD_quiesce_daemon(server->mhd);
	close(server->listen_fd);
	server->listen_fd = -1;
}

static void on_handle_closed(uv_handle_t *handle)
{
	struct http_server *server = handle->data;

	if (--server->closing_handles == 0)
		free(server);
}

static void resume_all(struct http_server *server)
{
	struct http_connection *connection;

	LIST_FOREACH(connection, &server->connections, entry)
	{
		struct http_request *request = connection->request;

		if (request != NULL && request->suspended) {
			request->suspended = false;
			MHD_resume_connection(request->mhd);
		}
	}
}

void http_loop_stop(struct http_server *server)
{
	http_loop_stop_listening(server);
	resume_all(server);
	uv_poll_stop(&server->poll);
	MHD_stop_daemon(server->mhd);
	timer_stop(&server->wake);
	timer_stop(&server->sweep);
	server->closing_handles = 3;
	uv_close((uv_handle_t *)&server->poll, on_handle_closed);
	uv_close((uv_handle_t *)&server->prepare, on_handle_closed);
	uv_close((uv_handle_t *)&server->idle, on_handle_closed);
}
