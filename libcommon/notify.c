/* The protocol is that of sd_notify(3): one datagram of NAME=value lines to a Unix socket. */
#include "notify.h"

#include "loop.h"
#include "mem.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

struct notify {
	int fd;
	struct timer *watchdog;
};

/* "/path", or "@name" in the abstract namespace. */
static int connect_to(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	size_t len = strlen(path);
	int fd;

	if ((path[0] != '/' && path[0] != '@') || len >= sizeof(address.sun_path))
		return -1;
	memcpy(address.sun_path, path, len);
	if (path[0] == '@')
		address.sun_path[0] = '\0';
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	len += offsetof(struct sockaddr_un, sun_path);
	if (fd >= 0 && connect(fd, (struct sockaddr *)&address, (socklen_t)len) < 0) {
		close(fd);
		return -1;
	}
	return fd;
}

/* A supervisor that takes nothing now is told again by the next sign of life. */
static void say(const struct notify *notify, const char *text)
{
	(void)send(notify->fd, text, strlen(text), MSG_NOSIGNAL);
}

static void on_watchdog(void *context)
{
	say(context, "WATCHDOG=1");
}

/* Microseconds; 0: it is not wanted, or from another process of this service. */
static int64_t watchdog_us(void)
{
	const char *pid = getenv("WATCHDOG_PID");
	const char *every = getenv("WATCHDOG_USEC");

	if (every == NULL || (pid != NULL && strtol(pid, NULL, 10) != (long)getpid()))
		return 0;
	return strtoll(every, NULL, 10);
}

struct notify *notify_open(uv_loop_t *loop)
{
	const char *path = getenv("NOTIFY_SOCKET");
	int fd = path != NULL ? connect_to(path) : -1;
	int64_t every_ms = watchdog_us() / 2000;
	struct notify *notify;

	if (fd < 0)
		return NULL;
	notify = mem_new(struct notify);
	notify->fd = fd;
	say(notify, "READY=1");
	if (every_ms > 0)
		notify->watchdog = timer_start(loop, 0, every_ms, on_watchdog, notify);
	return notify;
}

void notify_stopping(struct notify *notify)
{
	if (notify != NULL)
		say(notify, "STOPPING=1");
}

void notify_close(struct notify **notify)
{
	struct notify *old = *notify;

	*notify = NULL;
	if (old == NULL)
		return;
	timer_stop(&old->watchdog);
	close(old->fd);
	free(old);
}
