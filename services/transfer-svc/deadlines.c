#include "deadlines.h"

#include "clock.h"
#include "loop.h"
#include "mem.h"
#include "store.h"

#include <stdlib.h>

#define TICK_MS  200
#define BATCH    100
#define CHECK_MS 2000 /* call-lifecycle has read the same list of channels by then */

struct deadlines {
	struct redis_link *link;
	struct engine *engine;
	struct timer *tick;
	int64_t check_at_ms; /* when to look at all; 0: no need */
	size_t waiting;      /* replies and checks under way */
	bool closed;
};

struct round {
	struct deadlines *deadlines;
	enum engine_check why;
};

static void release(struct deadlines *deadlines)
{
	if (--deadlines->waiting == 0 && deadlines->closed)
		free(deadlines);
}

static void on_checked(enum engine_result result, const struct transfer *transfer,
		       const char *other, void *context)
{
	(void)result;
	(void)transfer;
	(void)other;
	release(context);
}

static void on_ids(const redisReply *reply, void *context)
{
	struct round *round = context;
	struct deadlines *deadlines = round->deadlines;
	enum engine_check why = round->why;

	free(round);
	if (reply != NULL && reply->type == REDIS_REPLY_ARRAY)
		for (size_t i = 0; i < reply->elements && !deadlines->closed; i++) {
			deadlines->waiting++;
			engine_check(deadlines->engine, reply->element[i]->str, why, 0, on_checked,
				     deadlines);
		}
	release(deadlines);
}

static struct round *round_new(struct deadlines *deadlines, enum engine_check why)
{
	struct round *round = mem_new(struct round);

	*round = (struct round){deadlines, why};
	deadlines->waiting++;
	return round;
}

static void round_cancel(struct round *round)
{
	release(round->deadlines);
	free(round);
}

static void check_all(struct deadlines *deadlines)
{
	struct round *round = round_new(deadlines, ENGINE_CHECK_MISSED);

	deadlines->check_at_ms = 0;
	if (store_under_way(deadlines->link, on_ids, round) < 0)
		round_cancel(round);
}

static void on_tick(void *context)
{
	struct deadlines *deadlines = context;
	struct round *round;

	/* The round before is still under way: it has all that is due. */
	if (deadlines->waiting > 0 || !redis_link_is_up(deadlines->link))
		return;
	if (deadlines->check_at_ms != 0 && clock_mono_ms() >= deadlines->check_at_ms) {
		check_all(deadlines);
		return;
	}
	round = round_new(deadlines, ENGINE_CHECK_DEADLINE);
	if (store_due(deadlines->link, clock_wall_ms(), BATCH, on_ids, round) < 0)
		round_cancel(round);
}

struct deadlines *deadlines_open(uv_loop_t *loop, struct redis_link *link, struct engine *engine)
{
	struct deadlines *deadlines = mem_new(struct deadlines);

	deadlines->link = link;
	deadlines->engine = engine;
	deadlines->tick = timer_start(loop, TICK_MS, TICK_MS, on_tick, deadlines);
	return deadlines;
}

void deadlines_check_all(struct deadlines *deadlines)
{
	deadlines->check_at_ms = clock_mono_ms() + CHECK_MS;
}

void deadlines_close(struct deadlines **_deadlines)
{
	struct deadlines *deadlines = *_deadlines;

	*_deadlines = NULL;
	if (deadlines == NULL)
		return;
	timer_stop(&deadlines->tick);
	deadlines->closed = true;
	if (deadlines->waiting == 0)
		free(deadlines);
}
