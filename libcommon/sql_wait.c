#include "sql_wait.h"

#include "mem.h"

#include <mysql.h>
#include <stdlib.h>

struct sql_wait {
	uv_loop_t *loop;
	sql_wait_fn *fn;
	void *context;
	uv_timer_t timer; /* its close callback frees the whole */
	uv_poll_t *poll;  /* NULL while no socket is held; freed by its close callback */
	int fd, polled;   /* what poll is for; -1 and 0 without it */
};

struct sql_wait *sql_wait_new(uv_loop_t *loop, sql_wait_fn *fn, void *context)
{
	struct sql_wait *wait = mem_new(struct sql_wait);

	wait->loop = loop;
	wait->fn = fn;
	wait->context = context;
	wait->fd = -1;
	uv_timer_init(loop, &wait->timer);
	wait->timer.data = wait;
	return wait;
}

static void on_poll(uv_poll_t *poll, int status, int events)
{
	struct sql_wait *wait = poll->data;
	int ready = 0;

	/* On an error both calls are due: MariaDB's library reads it off the socket itself. */
	if (status < 0 || (events & (UV_READABLE | UV_DISCONNECT)) != 0)
		ready |= MYSQL_WAIT_READ;
	if (status < 0 || (events & UV_WRITABLE) != 0)
		ready |= MYSQL_WAIT_WRITE;
	uv_timer_stop(&wait->timer);
	wait->fn(ready, wait->context);
}

static void on_timer(uv_timer_t *timer)
{
	struct sql_wait *wait = timer->data;

	wait->fn(MYSQL_WAIT_TIMEOUT, wait->context);
}

static void on_poll_closed(uv_handle_t *handle)
{
	free(handle);
}

void sql_wait_release(struct sql_wait *wait)
{
	uv_timer_stop(&wait->timer);
	if (wait->poll != NULL)
		uv_close((uv_handle_t *)wait->poll, on_poll_closed);
	wait->poll = NULL;
	wait->fd = -1;
	wait->polled = 0;
}

static void hold(struct sql_wait *wait, int fd)
{
	uv_poll_t *poll;

	sql_wait_release(wait);
	poll = mem_new(uv_poll_t);
	if (uv_poll_init(wait->loop, poll, fd) != 0) {
		free(poll); /* the time-out will tell */
		return;
	}
	poll->data = wait;
	wait->poll = poll;
	wait->fd = fd;
}

void sql_wait_arm(struct sql_wait *wait, int fd, int events, int64_t timeout_ms)
{
	int wanted = UV_DISCONNECT;

	if ((events & MYSQL_WAIT_READ) != 0)
		wanted |= UV_READABLE;
	if ((events & MYSQL_WAIT_WRITE) != 0)
		wanted |= UV_WRITABLE;
	if (wait->fd != fd)
		hold(wait, fd);
	/* Starting it again with the same events would cost two system calls. */
	if (wait->poll != NULL && wait->polled != wanted) {
		uv_poll_start(wait->poll, wanted, on_poll);
		wait->polled = wanted;
	}
	if (timeout_ms > 0)
		uv_timer_start(&wait->timer, on_timer, (uint64_t)timeout_ms, 0);
	else
		uv_timer_stop(&wait->timer);
}

static void on_freed(uv_handle_t *handle)
{
	free(handle->data);
}

void sql_wait_free(struct sql_wait **_wait)
{
	struct sql_wait *wait = *_wait;

	*_wait = NULL;
	if (wait == NULL)
		return;
	sql_wait_release(wait);
	uv_close((uv_handle_t *)&wait->timer, on_freed);
}
