/* Every Redis key and command of this service: see proto/redis.md. Each function sends what it
   needs in one pipelined round trip. A callback comes exactly once; when the link is down it comes
   before the function returns. */
#ifndef WS_FANOUT_STORE_H
#define WS_FANOUT_STORE_H

#include "cursor.h"
#include "redis_link.h"

#include <stddef.h>

/* The streams, in the order of enum topic, ended by NULL. */
extern const char *const store_streams[];

struct store_entry {
	struct entry_id id;
	const char *data;
	size_t len;
};

/* The latest entries of a topic, at most max, oldest first; borrowed. */
typedef void store_recent_fn(enum topic topic, const struct store_entry *entries, size_t count,
			     void *context);
/* All were told, or Redis is away. */
typedef void store_recent_done_fn(bool complete, void *context);
void store_recent(struct redis_link *link, size_t max, store_recent_fn *fn,
		  store_recent_done_fn *done, void *context);

enum store_status {
	STORE_OK,
	STORE_TRIMMED, /* entries after the id asked for are gone */
	STORE_UNKNOWN, /* the id lies after the last entry: it is of another stream */
	STORE_AWAY
};

/* entries are borrowed for the call. */
typedef void store_range_fn(enum store_status status, const struct store_entry *entries,
			    size_t count, void *context);
/* At most max entries after the id. */
void store_range(struct redis_link *link, enum topic topic, struct entry_id after, size_t max,
		 store_range_fn *fn, void *context);

struct store_snapshot {
	struct entry_id as_of; /* of events:<topic>: the items show everything up to it */
	size_t count;
	bool truncated;
	const redisReply *items; /* borrowed: see store_snapshot_id() */
};

/* snapshot is NULL while Redis is away. */
typedef void store_snapshot_fn(const struct store_snapshot *snapshot, void *context);
/* Live calls, agents, or queues of these PBXs (parted by blanks), at most max, all at one moment:
   all of them ("*"), or those that one of the extensions (parted by commas) is part of. */
void store_snapshot(struct redis_link *link, enum topic topic, const char *pbxs,
		    const char *extensions, size_t max, store_snapshot_fn *fn, void *context);
const char *store_snapshot_id(const struct store_snapshot *snapshot, size_t index);
/* fn for each field of one item's hash. */
void store_snapshot_fields(const struct store_snapshot *snapshot, size_t index,
			   void (*fn)(const char *name, const char *value, size_t len,
				      void *context),
			   void *context);

struct positions;

/* Up to where a client acknowledged, under a name of its own. */
void store_acks_save(struct redis_link *link, const char *user_id, const char *name,
		     const struct positions *positions);
/* positions is NULL while Redis is away; without topics when nothing is known. */
typedef void store_acks_fn(const struct positions *positions, void *context);
void store_acks_load(struct redis_link *link, const char *user_id, const char *name,
		     store_acks_fn *fn, void *context);

/* The ids of all teams that have agents, parted by blanks; NULL while Redis is away. */
typedef void store_teams_fn(const char *ids, void *context);
void store_teams(struct redis_link *link, store_teams_fn *fn, void *context);

/* What a Socket.IO client followed, as JSON, for when it comes back. */
void store_rooms_save(struct redis_link *link, const char *sid, const char *json, size_t len);
/* json is "" when nothing is known, or Redis is away. */
typedef void store_rooms_fn(const char *json, size_t len, void *context);
void store_rooms_load(struct redis_link *link, const char *sid, store_rooms_fn *fn, void *context);

/* These extensions have a connection now: for auth-svc, which takes an agent without one for gone.
 */
#define STORE_SOCKETS_MAX 256
void store_sockets(struct redis_link *link, const char *const *extensions, size_t count);

/* The session that it is for; NULL when the ticket is not good (away false) or Redis is away. A
   ticket works once. */
typedef void store_ticket_fn(const char *session_id, bool away, void *context);
void store_ticket(struct redis_link *link, const char *ticket, store_ticket_fn *fn, void *context);

#endif
