/* Every Redis key and command of transfer-svc: see proto/redis.md. */
#ifndef TRANSFER_SVC_STORE_H
#define TRANSFER_SVC_STORE_H

#include "compose.h"
#include "redis_link.h"
#include "transfer.h"

/* ---- one transfer ---- */

enum store_result {
	STORE_OK,
	STORE_CONFLICT,    /* somebody else changed it, or the call has one under way */
	STORE_UNAVAILABLE, /* Redis is away: whether it was done is not known */
};

/* other: of STORE_CONFLICT when a transfer begins: the id of the one under way. Borrowed. */
typedef void store_done_fn(enum store_result result, const char *other, void *context);

struct store_change {
	const struct transfer *transfer; /* as it is to be; version is one more than it was */
	const struct buffer *events;     /* envelopes, in order */
	size_t event_count;
	const struct actions *actions;
};

/* One transaction: the hash, its deadline, indexes, events, actions; only if the version in Redis
   is the one before. done is called exactly once, maybe before this returns. */
void store_commit(struct redis_link *link, const struct store_change *change, store_done_fn *done,
		  void *context);
/* HGETALL transfer:<id>. Returns 0 or -1: the link is down, fn is not called. */
int store_get(struct redis_link *link, const char *id, redis_reply_fn *fn, void *context);
/* GET transfer:call:<callId> */
int store_of_call(struct redis_link *link, const char *call_id, redis_reply_fn *fn, void *context);

/* ---- what others write ---- */

enum {
	STORE_CALL_ID,
	STORE_CALL_PBX,
	STORE_CALL_STATE,
	STORE_CALL_CHANNELS,
	STORE_CALL_EXTENSIONS,
	STORE_CALL_INTO,
	STORE_CALL_SEGMENTS,
	STORE_CALL_TRANSFERS,
	STORE_CALL_FIELDS
};

/* HMGET call:<callId>: the fields above, in order. */
int store_call(struct redis_link *link, const char *call_id, redis_reply_fn *fn, void *context);
/* HGET lifecycle:<pbx> appliedId: the last entry of events:ami:<pbx> that is in its calls */
int store_applied(struct redis_link *link, const char *pbx, redis_reply_fn *fn, void *context);
/* HGET pbx:<pbx> state */
int store_pbx(struct redis_link *link, const char *pbx, redis_reply_fn *fn, void *context);

/* ---- lists ---- */

/* Ids whose deadline has passed, at most max. */
int store_due(struct redis_link *link, int64_t now, int max, redis_reply_fn *fn, void *context);
/* All that are under way. */
int store_under_way(struct redis_link *link, redis_reply_fn *fn, void *context);
/* Ids and times, newest first, of an extension (NULL: of all), requested at or before that time. */
int store_recent(struct redis_link *link, const char *extension, int64_t until, int max,
		 redis_reply_fn *fn, void *context);
/* How many are under way, and how many wait for MariaDB: two replies, ZCARD and SCARD. */
int store_counts(struct redis_link *link, redis_reply_fn *under_way, redis_reply_fn *unsaved,
		 void *context);

/* ---- the history's way to MariaDB ---- */

/* Some ids that are over and not in MariaDB yet. */
int store_unsaved(struct redis_link *link, int max, redis_reply_fn *fn, void *context);
/* It is there now: it goes from the list, and from Redis after a day. */
int store_saved(struct redis_link *link, const char *id);

/* ---- reading streams ---- */

#define STORE_LEASE      "transfer-svc"
#define STORE_REPLIES    "replies:transfer-svc"
#define STORE_CALL_EVENT "events:call"

/* "events:ami:<pbx>". Owned by the caller. */
char *store_source(const char *pbx);
/* HMGET transfers:follow STREAM...: where reading goes on. */
int store_positions(struct redis_link *link, const char *const *streams, size_t count,
		    redis_reply_fn *fn, void *context);
int store_position(struct redis_link *link, const char *stream, const char *id, redis_reply_fn *fn,
		   void *context);
/* heardAt of the same hash: up to when everything has been heard. */
int store_heard(struct redis_link *link, redis_reply_fn *fn, void *context);
int store_heard_at(struct redis_link *link, int64_t at);

#endif
