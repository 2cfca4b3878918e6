/* How a redis_link gets up: the Sentinels say where the master is, the socket connects, the
   greeting is answered; and what happens when any of that fails or the connection goes. */
#include "clock.h"
#include "log.h"
#include "loop.h"
#include "mem.h"
#include "redis_link_internal.h"

#include <stdlib.h>
#include <string.h>

#define RETRY_BASE_MS 100
#define RETRY_MAX_MS  5000

static void attempt(void *_link);

/* A server that goes on refusing is complained about once for each reason, not every time. */
static void complain(struct redis_link *link, const char *reason)
{
	if (link->complaint.len > 0 && strcmp(buffer_str(&link->complaint), reason) == 0)
		return;
	buffer_clear(&link->complaint);
	buffer_append_str(&link->complaint, reason);
	log_warn(link->state == LINK_UP ? "Redis connection lost" : "Redis cannot be used",
		 log_str("link", link->name), log_str("host", link->host),
		 log_int("port", link->port), log_str("reason", reason));
}

/* A connection that soon fails again is not a reason to try at once: only one that lasted resets
   the back-off. */
static void plan_next_attempt(struct redis_link *link, bool was_up)
{
	int64_t delay_ms;

	if (was_up && clock_mono_ms() - link->up_ms >= RETRY_MAX_MS)
		link->attempt = 0;
	delay_ms = backoff_ms(link->attempt++, RETRY_BASE_MS, RETRY_MAX_MS);
	link->retry = timer_start(link->loop, delay_ms, 0, attempt, link);
}

void redis_link_drop(struct redis_link *link, const char *reason)
{
	bool was_up = link->state == LINK_UP;

	link->busy++;
	complain(link, reason);
	link->state = LINK_WAITING;
	link->is_overdue = false;
	redis_uv_close(&link->conn);
	plan_next_attempt(link, was_up);
	redis_link_fail_pending(link);
	if (was_up && link->state != LINK_CLOSED && link->hooks.on_down != NULL)
		link->hooks.on_down(reason, link->hooks.context);
	redis_link_leave(link);
}

void redis_link_greet(struct redis_link *link, const redisReply *reply)
{
	struct buffer reason = {0};
	int result = redis_greeting_reply(&link->greeting, reply, &reason);

	if (result < 0) {
		redis_link_drop(link, buffer_str(&reason));
	} else if (result > 0) {
		link->state = LINK_UP;
		link->up_ms = clock_mono_ms();
		buffer_clear(&link->complaint);
		log_info("Redis connection up", log_str("link", link->name),
			 log_str("host", link->host), log_int("port", link->port));
		if (link->hooks.on_up != NULL)
			link->hooks.on_up(link->hooks.context);
	}
	buffer_free(&reason);
}

static void on_connect(void *_link)
{
	struct redis_link *link = _link;

	link->state = LINK_GREETING;
	buffer_clear(&link->scratch);
	redis_greeting_begin(&link->greeting, link->settings, link->name, &link->scratch);
	redis_uv_send(link->conn, link->scratch.data, link->scratch.len);
	buffer_free(&link->scratch); /* it held the password */
	for (size_t i = 0; i < link->greeting.count; i++)
		redis_link_expect(link, NULL, NULL);
}

static void on_lost(const char *reason, void *_link)
{
	struct redis_link *link = _link;

	link->conn = NULL;
	redis_link_drop(link, reason);
}

static void connect_to(struct redis_link *link, const char *host, int port)
{
	const struct redis_uv_hooks hooks = {on_connect, redis_link_on_reply, on_lost, link};

	if (link->host != host) {
		free(link->host);
		link->host = mem_strdup(host);
	}
	link->port = port;
	link->state = LINK_CONNECTING;
	link->conn = redis_uv_connect(link->loop, host, port, link->settings->connect_timeout_ms,
				      &hooks);
}

static void on_found(const char *host, int port, const char *reason, void *_link)
{
	struct redis_link *link = _link;

	if (host != NULL)
		connect_to(link, host, port);
	else
		redis_link_drop(link, reason);
}

static void attempt(void *_link)
{
	struct redis_link *link = _link;

	timer_stop(&link->retry);
	if (link->sentinel != NULL) {
		link->state = LINK_FINDING;
		redis_sentinel_ask(link->sentinel);
	} else {
		connect_to(link, link->settings->host, (int)link->settings->port);
	}
}

void redis_link_begin(struct redis_link *link)
{
	link->sentinel = redis_sentinel_open(link->loop, link->settings, on_found, link);
	attempt(link);
}
