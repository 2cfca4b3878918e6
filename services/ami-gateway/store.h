/* Every Redis key and command of this service. Where the streams of events and actions are read and
   written pipelined, libcommon's stream_writer and stream_reader do it under the names from here.
 */
#ifndef STORE_H
#define STORE_H

#include "redis_link.h"

#include <stdbool.h>
#include <stdint.h>

#define STORE_KEY_MAX 64

struct store;

/* on_up may be NULL. settings must outlive the store. */
struct store *store_open(uv_loop_t *loop, const struct redis_settings *settings,
			 void (*on_state)(bool up, const char *detail, void *context),
			 void *context);
void store_close(struct store **store);
bool store_is_up(const struct store *store);
/* For leases and sessions. */
struct redis_link *store_link(struct store *store);

/* Names, into out[STORE_KEY_MAX]. */
const char *store_events_key(const char *pbx, char *out);
const char *store_actions_key(const char *pbx, char *out);
const char *store_lease_name(const char *pbx, char *out);

/* When anybody last saw this PBX: the newest entry, or the owner's sign of life. 0: never; -1: not
   known. fn is always called, later. */
typedef void store_seen_fn(int64_t at_ms, void *context);
void store_last_seen(struct store *store, const char *pbx, store_seen_fn *fn, void *context);
/* The owner's sign of life. */
void store_alive(struct store *store, const char *pbx);
/* Who holds the lease of this PBX: "" for nobody, NULL when that is not known. */
typedef void store_owner_fn(const char *owner, void *context);
void store_owner(struct store *store, const char *pbx, store_owner_fn *fn, void *context);

struct pbx_state {
	const char *pbx, *host, *version, *owner, *detail;
	bool up;
	const char *event_type; /* "ami:connected" */
	const char *data;       /* of the event: a JSON object */
};

/* The hash pbx:<pbx>, the entry on events:ami and its publication, in one transaction. While Redis
   is away it waits, in order; the oldest of many are dropped. */
void store_pbx_state(struct store *store, const struct pbx_state *state);
/* What waits for this PBX is not true any more. */
void store_forget_states(struct store *store, const char *pbx);

/* Reply and acknowledgement of one action, in one transaction. reply_to "" or not a stream of
   replies: only the acknowledgement. done(false): it may or may not be stored. */
typedef void store_done_fn(bool stored, void *context);
void store_reply(struct store *store, const char *pbx, const char *entry_id, const char *reply_to,
		 const char *reply, size_t len, store_done_fn *done, void *context);

#endif
