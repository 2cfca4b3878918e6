#include "pbx_watch.h"

#include "clock.h"
#include "loop.h"
#include "mem.h"
#include "settings.h"
#include "store.h"

#include <stdlib.h>
#include <string.h>

#define ASK_MS 500

struct pbx {
	const char *name;
	bool down, stale, followed;
	int64_t calls;
	int64_t as_of, asked_at_ms, answered_at_ms;
	unsigned waiting; /* replies */
};

struct pbx_watch {
	struct redis_link *link;
	struct timer *timer;
	struct pbx pbxs[PBXS_MAX];
	size_t count;
	bool closed;
	unsigned waiting;
};

struct question {
	struct pbx_watch *watch;
	struct pbx *pbx;
	unsigned waiting;
};

static void release(struct pbx_watch *watch)
{
	if (watch->closed && watch->waiting == 0)
		free(watch);
}

static void answered(struct question *question)
{
	struct pbx_watch *watch = question->watch;

	question->pbx->answered_at_ms = clock_mono_ms();
	if (--question->waiting > 0)
		return;
	free(question);
	watch->waiting--;
	release(watch);
}

static void on_state(const redisReply *reply, void *context)
{
	struct question *question = context;

	if (reply != NULL)
		question->pbx->down =
			reply->type == REDIS_REPLY_STRING && strcmp(reply->str, "down") == 0;
	answered(question);
}

static void on_view(const redisReply *reply, void *context)
{
	struct question *question = context;

	if (reply != NULL && reply->type == REDIS_REPLY_ARRAY && reply->elements == 2) {
		const redisReply *as_of = reply->element[0], *stale = reply->element[1];

		question->pbx->as_of =
			as_of->type == REDIS_REPLY_STRING ? strtoll(as_of->str, NULL, 10) : 0;
		question->pbx->stale =
			stale->type != REDIS_REPLY_STRING || strcmp(stale->str, "0") != 0;
	}
	answered(question);
}

static void on_lease(const redisReply *reply, void *context)
{
	struct question *question = context;

	question->pbx->followed =
		reply != NULL && reply->type == REDIS_REPLY_INTEGER && reply->integer == 1;
	answered(question);
}

static void on_calls(const redisReply *reply, void *context)
{
	struct question *question = context;

	if (reply != NULL && reply->type == REDIS_REPLY_INTEGER)
		question->pbx->calls = reply->integer;
	answered(question);
}

static void ask(struct pbx_watch *watch, struct pbx *pbx)
{
	static redis_reply_fn *const fns[4] = {on_state, on_view, on_lease, on_calls};
	struct question *question;
	size_t before = redis_link_pending(watch->link);
	size_t sent;

	if (!redis_link_is_up(watch->link))
		return;
	question = mem_new(struct question);
	*question = (struct question){watch, pbx, 4};
	watch->waiting++;
	if (store_pbx_ask(watch->link, pbx->name, fns, question) == 0)
		return;
	/* The link went down between two of them: only those that were taken are answered. */
	sent = redis_link_pending(watch->link) - before;
	question->waiting = (unsigned)sent;
	if (sent == 0) {
		free(question);
		watch->waiting--;
	}
}

static void on_timer(void *context)
{
	struct pbx_watch *watch = context;

	for (size_t i = 0; i < watch->count; i++)
		ask(watch, &watch->pbxs[i]);
}

struct pbx_watch *pbx_watch_open(uv_loop_t *loop, struct redis_link *link, const char *const *names,
				 size_t count)
{
	struct pbx_watch *watch = mem_new(struct pbx_watch);

	watch->link = link;
	for (; watch->count < count && watch->count < PBXS_MAX; watch->count++)
		watch->pbxs[watch->count].name = names[watch->count];
	watch->timer = timer_start(loop, 0, ASK_MS, on_timer, watch);
	return watch;
}

static const struct pbx *find(const struct pbx_watch *watch, const char *name)
{
	for (size_t i = 0; i < watch->count; i++)
		if (strcmp(watch->pbxs[i].name, name) == 0)
			return &watch->pbxs[i];
	return NULL;
}

bool pbx_watch_is_up(const struct pbx_watch *watch, const char *name)
{
	const struct pbx *pbx = find(watch, name);

	return pbx == NULL || !pbx->down;
}

const char *pbx_watch_choose(const struct pbx_watch *watch, const char *preferred)
{
	const struct pbx *best = find(watch, preferred);

	if (best != NULL && !best->down)
		return best->name;
	best = NULL;
	for (size_t i = 0; i < watch->count; i++)
		if (!watch->pbxs[i].down && (best == NULL || watch->pbxs[i].calls < best->calls))
			best = &watch->pbxs[i];
	return best != NULL ? best->name : NULL;
}

int64_t pbx_watch_as_of(const struct pbx_watch *watch, const char *name, bool *stale_r)
{
	const struct pbx *pbx = find(watch, name);

	*stale_r = true;
	if (pbx == NULL)
		return 0;
	*stale_r = pbx->stale || pbx->down || !pbx->followed ||
		   clock_mono_ms() - pbx->answered_at_ms > 5 * ASK_MS;
	return pbx->as_of;
}

void pbx_watch_close(struct pbx_watch **closed)
{
	struct pbx_watch *watch = *closed;

	*closed = NULL;
	if (watch == NULL)
		return;
	timer_stop(&watch->timer);
	watch->closed = true;
	release(watch);
}
