/* Reads what is said of transfers: the dialplan's steps on events:ami:<pbx>, calls on events:call,
   answers on replies:transfer-svc. One instance at a time does (a lease); it takes one entry after
   the other to the engine, and remembers in Redis how far it came. What is read twice is heard
   once: a transfer knows its last entry. */
#ifndef TRANSFER_SVC_FOLLOWER_H
#define TRANSFER_SVC_FOLLOWER_H

#include "deadlines.h"
#include "engine.h"
#include "redis_settings.h"
#include "transfer_metrics.h"

struct follower_settings {
	const struct redis_settings *redis; /* outlives it */
	struct redis_link *link;            /* for commands */
	struct engine *engine;
	struct deadlines *deadlines;
	const char *const *pbxs;
	size_t pbx_count;
	const char *instance;
	int64_t lease_ttl_ms;
	struct transfer_metrics *metrics;
	int64_t phones_ring_s; /* how long a phone's own transfer may take */
};

struct follower;

struct follower *follower_open(uv_loop_t *loop, const struct follower_settings *set);
/* The command link has come up. */
void follower_up(struct follower *follower);
bool follower_is_reading(const struct follower *follower);
void follower_close(struct follower **follower);

#endif
