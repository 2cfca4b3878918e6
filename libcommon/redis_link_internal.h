/* What redis_link.c (commands and replies) and redis_connect.c (how the link gets up and what
   happens when it goes down) share. For these two files only. */
#ifndef COMMON_REDIS_LINK_INTERNAL_H
#define COMMON_REDIS_LINK_INTERNAL_H

#include "buffer.h"
#include "redis_greeting.h"
#include "redis_link.h"
#include "redis_pending.h"
#include "redis_sentinel.h"
#include "redis_uv.h"

enum redis_link_state {
	LINK_WAITING, /* for the next attempt */
	LINK_FINDING, /* the Sentinels are asked */
	LINK_CONNECTING,
	LINK_GREETING,
	LINK_UP,
	LINK_CLOSED, /* by its owner; freed when no function of the link is on the stack */
};

struct redis_link {
	uv_loop_t *loop;
	const struct redis_settings *settings;
	const char *name;
	struct redis_link_hooks hooks;
	redis_reply_fn *on_message;
	void *message_context;
	enum redis_link_state state;
	unsigned busy; /* functions on the stack that still touch the link */

	struct redis_sentinel *sentinel; /* NULL: host and port are fixed */
	char *host;                      /* owned: where the server is, or was last */
	int port;
	struct redis_uv *conn; /* while connecting, greeting, up */
	struct redis_greeting greeting;
	unsigned attempt; /* for the back-off */
	int64_t up_ms;
	struct timer *retry;
	struct buffer complaint; /* what was logged last; cleared when up */

	struct redis_pending pending;
	int64_t timeout_ms;
	struct timer *watchdog;
	bool is_watching; /* the watchdog will fire */
	bool is_overdue;  /* seen once; the next time the connection goes */
	struct timer *heartbeat;
	struct buffer scratch;
};

/* Begins the first attempt. */
void redis_link_begin(struct redis_link *link);
/* The connection is useless or gone: answers every command with NULL, tells the owner if the link
   was up, plans the next attempt. May free the link unless the caller has made it busy. */
void redis_link_drop(struct redis_link *link, const char *reason);
/* A reply while LINK_GREETING. */
void redis_link_greet(struct redis_link *link, const redisReply *reply);
/* From redis_link.c. */
void redis_link_on_reply(const redisReply *reply, void *link);
void redis_link_expect(struct redis_link *link, redis_reply_fn *fn, void *context);
void redis_link_fail_pending(struct redis_link *link);
void redis_link_leave(struct redis_link *link);

#endif
