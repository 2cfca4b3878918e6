/* How Redis itself is. */
#ifndef AUTH_SVC_STORE_HEALTH_H
#define AUTH_SVC_STORE_HEALTH_H

#include "buffer.h"
#include "store.h"

/* json: one object, borrowed for the call; NULL: Redis is away. */
typedef void store_health_fn(const struct buffer *json, void *context);

/* Everything: version, role, memory, keys, latencies, append-only file, streams and their groups.
 */
void store_get_health(struct store *store, const char *pbxs, store_health_fn *done, void *context);

/* sessions: how many there are; round_trip_us: of this question. */
typedef void store_ping_fn(bool ok, int64_t sessions, int64_t round_trip_us, void *context);

void store_ping_sessions(struct store *store, store_ping_fn *done, void *context);

#endif
