#include "redis_pending.h"

#include "mem.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_CAP 64

static void grow(struct redis_pending *pending)
{
	size_t cap = pending->cap > 0 ? pending->cap * 2 : FIRST_CAP;
	struct redis_pending_command *ring = mem_array(struct redis_pending_command, cap);
	size_t until_wrap = pending->cap - pending->first;

	if (pending->count > 0) {
		memcpy(ring, pending->ring + pending->first, until_wrap * sizeof(*ring));
		memcpy(ring + until_wrap, pending->ring, pending->first * sizeof(*ring));
	}
	free(pending->ring);
	pending->ring = ring;
	pending->cap = cap;
	pending->first = 0;
}

void redis_pending_push(struct redis_pending *pending, redis_reply_fn *fn, void *context,
			int64_t now_ms)
{
	if (pending->count == pending->cap)
		grow(pending);
	pending->ring[(pending->first + pending->count++) & (pending->cap - 1)] =
		(struct redis_pending_command){fn, context, now_ms};
}

const struct redis_pending_command *redis_pending_oldest(const struct redis_pending *pending)
{
	return pending->count > 0 ? &pending->ring[pending->first] : NULL;
}

struct redis_pending_command redis_pending_pop(struct redis_pending *pending)
{
	struct redis_pending_command oldest = pending->ring[pending->first];

	assert(pending->count > 0);
	pending->first = (pending->first + 1) & (pending->cap - 1);
	pending->count--;
	return oldest;
}

void redis_pending_free(struct redis_pending *pending)
{
	free(pending->ring);
	*pending = (struct redis_pending){0};
}
