/* The commands of one connection that wait for their replies, oldest first. Redis answers in order,
   so the first reply belongs to the oldest. A zeroed struct is an empty line. */
#ifndef COMMON_REDIS_PENDING_H
#define COMMON_REDIS_PENDING_H

#include "redis_link.h"

struct redis_pending_command {
	redis_reply_fn *fn;
	void *context;
	int64_t sent_ms; /* clock_mono_ms() */
};

struct redis_pending {
	struct redis_pending_command *ring; /* owned; cap is a power of two */
	size_t cap, first, count;
};

void redis_pending_push(struct redis_pending *pending, redis_reply_fn *fn, void *context,
			int64_t now_ms);
/* NULL when the line is empty. */
const struct redis_pending_command *redis_pending_oldest(const struct redis_pending *pending);
/* The line must not be empty. */
struct redis_pending_command redis_pending_pop(struct redis_pending *pending);
void redis_pending_free(struct redis_pending *pending);

#endif
