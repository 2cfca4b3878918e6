#include "redis_link.h"

#include "clock.h"
#include "loop.h"
#include "mem.h"
#include "redis_link_internal.h"
#include "resp.h"

#include <assert.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#define HEARTBEAT_MS 5000
#define GRACE_MS     1
#define UNSENT_MAX   ((size_t)64 << 20)

/* ---- time-outs ---- */

static void watch(struct redis_link *link, int64_t delay_ms);

/* A loop that was held up sees its timers before its sockets: what is overdue gets one more turn,
   in which replies that came meanwhile are read. */
static void on_watchdog(void *_link)
{
	struct redis_link *link = _link;
	const struct redis_pending_command *oldest = redis_pending_oldest(&link->pending);
	int64_t left_ms;

	link->is_watching = false;
	if (oldest == NULL)
		return;
	left_ms = oldest->sent_ms + link->timeout_ms - clock_mono_ms();
	if (left_ms > 0) {
		watch(link, left_ms);
	} else if (!link->is_overdue) {
		link->is_overdue = true;
		watch(link, GRACE_MS);
	} else {
		redis_link_drop(link, "no reply in time");
	}
}

static void watch(struct redis_link *link, int64_t delay_ms)
{
	link->is_watching = true;
	if (link->watchdog == NULL)
		link->watchdog = timer_start(link->loop, delay_ms, 0, on_watchdog, link);
	else
		timer_again(link->watchdog, delay_ms);
}

void redis_link_set_timeout(struct redis_link *link, int64_t timeout_ms)
{
	link->timeout_ms = timeout_ms;
}

/* A peer that vanished without a word is noticed although nobody has anything to ask. */
static void on_heartbeat(void *_link)
{
	struct redis_link *link = _link;

	if (link->pending.count == 0)
		(void)redis_link_command(link, NULL, NULL, "PING");
}

/* ---- commands ---- */

void redis_link_expect(struct redis_link *link, redis_reply_fn *fn, void *context)
{
	redis_pending_push(&link->pending, fn, context, clock_mono_ms());
	if (!link->is_watching)
		watch(link, link->timeout_ms);
}

int redis_link_raw(struct redis_link *link, redis_reply_fn *fn, void *context, const char *resp,
		   size_t len)
{
	if (link->state != LINK_UP || redis_uv_unsent(link->conn) > UNSENT_MAX)
		return -1;
	redis_uv_send(link->conn, resp, len);
	redis_link_expect(link, fn, context);
	return 0;
}

int redis_link_argv(struct redis_link *link, redis_reply_fn *fn, void *context, int argc,
		    const char **argv, const size_t *lens)
{
	buffer_clear(&link->scratch);
	resp_command(&link->scratch, (size_t)argc, argv, lens);
	return redis_link_raw(link, fn, context, link->scratch.data, link->scratch.len);
}

int redis_link_command(struct redis_link *link, redis_reply_fn *fn, void *context,
		       const char *format, ...)
{
	va_list args;
	char *resp;
	int len;
	int result;

	va_start(args, format);
	len = redisvFormatCommand(&resp, format, args);
	va_end(args);
	assert(len > 0);
	result = redis_link_raw(link, fn, context, resp, (size_t)len);
	redisFreeCommand(resp);
	return result;
}

bool redis_link_is_up(const struct redis_link *link)
{
	return link->state == LINK_UP;
}

size_t redis_link_pending(const struct redis_link *link)
{
	return link->pending.count;
}

/* ---- replies ---- */

void redis_link_fail_pending(struct redis_link *link)
{
	while (link->pending.count > 0) {
		struct redis_pending_command command = redis_pending_pop(&link->pending);

		if (command.fn != NULL)
			command.fn(NULL, command.context);
	}
}

static bool starts_with(const redisReply *reply, const char *prefix)
{
	return strncmp(reply->str, prefix, strlen(prefix)) == 0;
}

static bool is_message(const redisReply *reply)
{
	return reply->type == REDIS_REPLY_ARRAY && reply->elements == 3 &&
	       reply->element[0]->type == REDIS_REPLY_STRING &&
	       strcmp(reply->element[0]->str, "message") == 0;
}

/* A master that was made a replica refuses every write: the new one is elsewhere. */
static bool is_demoted(const redisReply *reply)
{
	return reply->type == REDIS_REPLY_ERROR && starts_with(reply, "READONLY ");
}

static void answer_oldest(struct redis_link *link, const redisReply *reply)
{
	struct redis_pending_command command = redis_pending_pop(&link->pending);

	link->is_overdue = false;
	if (link->state == LINK_GREETING) {
		redis_link_greet(link, reply);
		return;
	}
	if (command.fn != NULL)
		command.fn(reply, command.context);
	if (link->state == LINK_UP && is_demoted(reply))
		redis_link_drop(link, reply->str);
}

void redis_link_on_reply(const redisReply *reply, void *_link)
{
	struct redis_link *link = _link;

	link->busy++;
	if (link->on_message != NULL && is_message(reply))
		link->on_message(reply, link->message_context);
	else if (link->pending.count > 0)
		answer_oldest(link, reply);
	else
		redis_link_drop(link, reply->type == REDIS_REPLY_ERROR
					      ? reply->str
					      : "a reply that nobody asked for");
	redis_link_leave(link);
}

void redis_link_set_on_message(struct redis_link *link, redis_reply_fn *fn, void *context)
{
	link->on_message = fn;
	link->message_context = context;
}

/* ---- life ---- */

struct redis_link *redis_link_open(uv_loop_t *loop, const struct redis_settings *settings,
				   const char *name, const struct redis_link_hooks *hooks)
{
	struct redis_link *link = mem_new(struct redis_link);

	link->loop = loop;
	link->settings = settings;
	link->name = name;
	if (hooks != NULL)
		link->hooks = *hooks;
	link->timeout_ms = settings->command_timeout_ms;
	link->heartbeat = timer_start(loop, HEARTBEAT_MS, HEARTBEAT_MS, on_heartbeat, link);
	redis_link_begin(link);
	return link;
}

void redis_link_reset(struct redis_link *link, const char *reason)
{
	if (link->conn != NULL)
		redis_link_drop(link, reason);
}

void redis_link_leave(struct redis_link *link)
{
	if (--link->busy > 0 || link->state != LINK_CLOSED)
		return;
	redis_pending_free(&link->pending);
	buffer_free(&link->complaint);
	buffer_free(&link->scratch);
	free(link->host);
	free(link);
}

void redis_link_close(struct redis_link **_link)
{
	struct redis_link *link = *_link;

	*_link = NULL;
	if (link == NULL)
		return;
	link->busy++;
	link->state = LINK_CLOSED;
	timer_stop(&link->retry);
	timer_stop(&link->watchdog);
	timer_stop(&link->heartbeat);
	redis_sentinel_close(&link->sentinel);
	redis_uv_close(&link->conn);
	redis_link_fail_pending(link);
	redis_link_leave(link);
}
