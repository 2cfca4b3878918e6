/* What the files of the store share: store.c (small things), store_attempt.c (failed logins),
   store_session.c and store_sessions.c (sessions), store_agent.c (who is available), store_data.c
   (what components keep in a session), store_health.c (Redis itself), store_audit.c, store_team.c.
 */
#ifndef AUTH_SVC_STORE_INTERNAL_H
#define AUTH_SVC_STORE_INTERNAL_H

#include "store.h"

#include <hiredis/hiredis.h>

/* Events are kept so long in their streams. */
#define EVENTS_KEEP_MS 86400000

struct store {
	struct redis_link *link;
	void (*on_agent)(const char *extension, void *context); /* NULL: nobody asks */
	void *on_agent_context;
};

/* Who waits for the answer of a command; freed with it. */
struct store_waiter {
	store_done_fn *done; /* NULL: nobody waits */
	void *context;
	struct store *store;
	char extension[33]; /* of the agent whom it may have moved; "" for none */
};

struct store_waiter *store_waiter_new(store_done_fn *done, void *context);
/* Calls done and on_agent, and frees the waiter. */
void store_answer(struct store_waiter *waiter, bool ok);
/* A reply of EXEC is good when every command in it is; any other when it is no error. */
bool store_is_good(const redisReply *reply);
/* A redis_reply_fn with a waiter as context. */
void store_on_reply(const redisReply *reply, void *waiter);
void store_agent_moved(struct store *store, const char *extension);
/* Texts and numbers of replies; "" and 0 for what is not there. */
void store_copy(char *out, size_t size, const redisReply *value);
int64_t store_number(const redisReply *value);
/* Lua: the function read(id), and what reads its answer; false: there is no such session. */
extern const char store_read_session_lua[];
bool store_read_session(const redisReply *reply, struct store_session *session_r);
/* Appends to a stream of events and tells its channel: two commands. */
void store_send_event(struct store *store, const char *stream, const char *channel,
		      const struct buffer *event);

#endif
