/* Follows one PBX: holds its lease, reads events:ami:<pbx>, applies the entries to the model and
   commits what they cause. Whenever a commit is refused or its answer is lost, or the lease is
   gone, the model is thrown away and loaded again: that is the one way to begin, to take over, and
   to recover. */
#ifndef LIFECYCLE_FOLLOWER_H
#define LIFECYCLE_FOLLOWER_H

#include "health.h"
#include "metrics.h"
#include "redis_settings.h"

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

struct follower;

struct follower_settings {
	const char *pbx; /* borrowed, as all */
	bool is_one_of_many;
	const struct redis_settings *redis;
	const char *instance;
	int64_t lease_ttl_ms;
	int64_t pbx_down_ms;
	int batch_max;
	size_t calls_max;
	const char *zone; /* where days begin */
	int64_t wrap_up_ms, service_level_ms, short_abandon_ms;
	struct health *health;
	struct metrics *metrics;
};

struct follower *follower_open(uv_loop_t *loop, const struct follower_settings *set);
/* No more entries are taken. */
void follower_drain(struct follower *follower);
/* To be asked until it is true: nothing is under way, and the lease is given back. */
bool follower_drained(struct follower *follower);
void follower_close(struct follower **follower);

#endif
