#include "heard.h"

#include "clock.h"
#include "loop.h"
#include "mem.h"
#include "store.h"

#include <stdlib.h>

#define TICK_MS  500
#define QUIET_MS 300 /* nothing came for so long: there is nothing */
#define LATE_MS  4000

struct heard {
	struct redis_link *link;
	struct timer *tick;
	bool reads, busy, whole;
	int64_t batch_at, quiet_since, said_at;
};

static void say(struct heard *heard, int64_t at)
{
	if (at - heard->said_at >= TICK_MS && store_heard_at(heard->link, at) == 0)
		heard->said_at = at;
}

static void on_tick(void *context)
{
	struct heard *heard = context;
	int64_t now = clock_wall_ms();

	if (heard->reads && !heard->busy && now - heard->quiet_since >= QUIET_MS)
		say(heard, now);
}

void heard_reading(struct heard *heard, bool reads)
{
	heard->reads = reads;
	heard->busy = false;
	heard->quiet_since = clock_wall_ms();
}

void heard_batch(struct heard *heard, bool whole)
{
	heard->busy = true;
	heard->whole = whole;
	heard->batch_at = clock_wall_ms();
}

void heard_done(struct heard *heard)
{
	heard->busy = false;
	heard->quiet_since = clock_wall_ms();
	if (heard->whole)
		say(heard, heard->batch_at);
}

bool heard_is_recent(const redisReply *reply, int64_t now)
{
	return reply != NULL && reply->type == REDIS_REPLY_STRING &&
	       now - strtoll(reply->str, NULL, 10) < LATE_MS;
}

struct heard *heard_open(uv_loop_t *loop, struct redis_link *link)
{
	struct heard *heard = mem_new(struct heard);

	heard->link = link;
	heard->tick = timer_start(loop, TICK_MS, TICK_MS, on_tick, heard);
	return heard;
}

void heard_close(struct heard **heard)
{
	if (*heard == NULL)
		return;
	timer_stop(&(*heard)->tick);
	free(*heard);
	*heard = NULL;
}
