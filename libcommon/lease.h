/* A lease in Redis: of all processes that ask for one name, at most one holds it. The key
   lease:<name> holds the owner and expires; fence:<name> counts acquisitions: its value is the
   holder's fencing token. A holder that cannot renew in time gives up by its own monotonic clock,
   before Redis lets another one in. Writers guard their transactions with the token: see
   lease_watch(). */
#ifndef COMMON_LEASE_H
#define COMMON_LEASE_H

#include "redis_link.h"

#include <stdbool.h>
#include <stdint.h>

struct lease;

struct lease_hooks {
	void (*on_acquired)(int64_t token, void *context);
	/* Stop at once what only the holder may do. reason is borrowed. */
	void (*on_lost)(const char *reason, void *context);
	void *context;
};

/* link is borrowed and must outlive the lease; name and owner (host:pid:random, shown to people)
   are copied. Tries every ttl_ms / 5, while the
   link is down more often; renews every ttl_ms / 3. */
struct lease *lease_open(uv_loop_t *loop, struct redis_link *link, const char *name,
			 const char *owner, int64_t ttl_ms, const struct lease_hooks *hooks);
bool lease_is_held(const struct lease *lease);
/* 0 when not held. */
int64_t lease_token(const struct lease *lease);
int64_t lease_since_ms(const struct lease *lease);
/* Sends WATCH fence:<name> and MGET of both keys on the caller's own link; a MULTI that follows on
   that link is refused by Redis (EXEC answers nil) if anyone has acquired the lease since. fn gets
   the reply of MGET: ask lease_confirms(). Returns 0 or -1 (link down). */
int lease_watch(const struct lease *lease, struct redis_link *link, redis_reply_fn *fn,
		void *context);
/* Whether by this reply the lease is held, and by this holder. The owner counts beside the token: a
   Redis that took over without the last acquisitions hands out a token again. */
bool lease_confirms(const struct lease *lease, const redisReply *reply);
/* Gives the lease back when it is held, so that a stand-by need not wait. */
void lease_close(struct lease **lease);

#endif
