/* Every Redis key and command of call-lifecycle: see proto/redis.md. */
#ifndef LIFECYCLE_STORE_H
#define LIFECYCLE_STORE_H

#include "model.h"
#include "redis_link.h"

/* ---- the follower's side (store_commit.c, store_load.c) ---- */

#define STORE_ID_MAX 48 /* an entry id and its NUL */

/* "events:ami:<pbx>", "lifecycle:<pbx>" as the name of the lease. Owned by the caller. */
char *store_source_stream(const char *pbx);
char *store_lease_name(const char *pbx);

/* How far the effects of the model are committed. All zero: nothing yet. */
struct store_part {
	size_t calls, agents, queues;
};

/* One transaction: what the model has as effects, and the id of the last entry that is in it. With
   in_parts, and when it would keep Redis busy for too long, it is only a part of that, without the
   id: each call and each agent is in one part with its events. That is for effects which come once
   more, but for those that are in Redis, when their cause is applied to what is there: an end of a
   snapshot, or time. *part moves on, and is all zero again after the last one. fn gets the reply of
   EXEC. Returns 0; or -1 when the link went down on the way: then fn may never be called and
   nothing is known. */
int store_commit(struct redis_link *link, const char *pbx, struct model *model,
		 const char *applied_id, bool in_parts, struct store_part *part, redis_reply_fn *fn,
		 void *context);

/* To be sent before a commit, with lease_watch(): makes EXEC answer nil when somebody has begun to
   load the state since. So a transaction that was believed lost can never take place after all. */
int store_watch(struct redis_link *link, const char *pbx);

struct store_loaded {
	bool ok;
	char applied_id[STORE_ID_MAX]; /* "0-0": nothing yet */
	size_t calls, broken;          /* broken: live calls that could not be rebuilt */
	bool missed; /* entries behind applied_id were trimmed before anybody applied them */
};

typedef void store_load_fn(const struct store_loaded *loaded, void *context);

struct store_load;

/* Fills a new model from Redis; loader is who does it. fn is called once, later, unless it is
   cancelled. NULL when the link is down. */
struct store_load *store_load_start(struct redis_link *link, const char *pbx, const char *loader,
				    struct model *model, store_load_fn *fn, void *context);
/* fn is not called any more, and the model not touched. */
void store_load_cancel(struct store_load **load);

/* ---- the side of REST (store.c) ---- */

enum store_field_kind {
	STORE_TEXT,
	STORE_NUMBER,
	STORE_JSON,
};

struct store_field {
	const char *name; /* NULL ends the list */
	enum store_field_kind kind;
};

/* The fields of call:<callId> that are shown; a prefix of them, store_summary_count, in lists. */
extern const struct store_field store_call_fields[];
extern const size_t store_call_field_count, store_summary_count;
/* Where "extensions" is among them. */
extern const size_t store_extensions_field;

/* The first count of store_call_fields, as HMGET answers. */
int store_call_get(struct redis_link *link, const char *call_id, size_t count, redis_reply_fn *fn,
		   void *context);

/* Where a list of calls begins: after the call that began at started_at with this id; "" for the
   newest. extension NULL: all calls. The reply: ids and scores, by turns. */
int store_call_ids(struct redis_link *link, const char *extension, int64_t started_at, size_t count,
		   redis_reply_fn *fn, void *context);

struct store_originate {
	const char *pbx, *call_id, *from, *to, *requested_by;
	int64_t started_at;
	const char *action; /* JSON: ami-action */
	size_t action_len;
};

/* The call, until Asterisk hears of it, and the action, in one transaction. fn gets EXEC's reply.
 */
int store_originate(struct redis_link *link, const struct store_originate *originate,
		    redis_reply_fn *fn, void *context);
int store_action(struct redis_link *link, const char *pbx, const char *action, size_t len,
		 redis_reply_fn *fn, void *context);

/* The fields of recording:<recordingId>. */
#define STORE_RECORDING_FIELDS_MAX 12
extern const struct store_field store_recording_fields[];

/* All of them, as HMGET answers. */
int store_recording_get(struct redis_link *link, const char *id, redis_reply_fn *fn, void *context);

/* ---- the side of the keeper (store_recordings.c) ---- */

/* The oldest that ended before and whose file was not read yet: an array of one id, or none. */
int store_recordings_unsummed(struct redis_link *link, int64_t before, redis_reply_fn *fn,
			      void *context);
/* bytes and sha256, as far as known. */
int store_recording_sum(struct redis_link *link, const char *id, redis_reply_fn *fn, void *context);
int store_recording_set_sum(struct redis_link *link, const char *id, int64_t bytes,
			    const char *sha256);
/* It is done; or, with a time, is to be looked at again then. */
int store_recording_summed(struct redis_link *link, const char *id, int64_t again_at);
/* Ids of those that began before. */
int store_recordings_old(struct redis_link *link, int64_t before, int max, redis_reply_fn *fn,
			 void *context);
int store_recording_forget(struct redis_link *link, const char *id);

/* "replies:<instance>". Owned by the caller. */
char *store_reply_stream(const char *instance);
/* How fresh the view of a PBX is: its state, that of the view, whether somebody follows it, and its
   live calls. fn is called for each of the four replies, in this order: HGET pbx:<pbx> state; HMGET
   lifecycle:<pbx> asOf stale; EXISTS lease:lifecycle:<pbx>; SCARD calls:live:<pbx>. */
int store_pbx_ask(struct redis_link *link, const char *pbx, redis_reply_fn *const fns[4],
		  void *context);
/* Where an extension's phone is: HGET agent:<ext> pbx. */
int store_pbx_of(struct redis_link *link, const char *extension, redis_reply_fn *fn, void *context);

/* ---- agents and queues (store_live.c) ---- */

/* fn gets a list of extensions, or of names. */
int store_agent_names(struct redis_link *link, const char *pbx, redis_reply_fn *fn, void *context);
int store_queue_names(struct redis_link *link, const char *pbx, redis_reply_fn *fn, void *context);
/* fn gets a hash: fields and values by turns; none: there is no such thing. */
int store_agent_get(struct redis_link *link, const char *extension, redis_reply_fn *fn,
		    void *context);
int store_queue_get(struct redis_link *link, const char *name, redis_reply_fn *fn, void *context);
/* For counts: fn gets ids; state, direction and extensions; state; waiting and longestSinceAt. */
int store_live_calls(struct redis_link *link, const char *pbx, redis_reply_fn *fn, void *context);
int store_call_state(struct redis_link *link, const char *call_id, redis_reply_fn *fn,
		     void *context);
int store_agent_state(struct redis_link *link, const char *extension, redis_reply_fn *fn,
		      void *context);
int store_queue_waiting(struct redis_link *link, const char *name, redis_reply_fn *fn,
			void *context);
/* Up to which entry of wishes:agent they were handed on. */
int store_wishes_position(struct redis_link *link, redis_reply_fn *fn, void *context);
int store_wishes_done(struct redis_link *link, const char *id);

#endif
