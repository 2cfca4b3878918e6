#include "lease.h"

#include "buffer.h"
#include "clock.h"
#include "log.h"
#include "loop.h"
#include "mem.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ASK_AGAIN_MS 50

/* KEYS: lease, fence. ARGV: owner, ttl in ms. Returns the token, or who holds the lease. An owner
   that lost sight of its own lease gets it again, with a new token. */
static const char acquire_script[] = "local holder = redis.call('GET', KEYS[1])\n"
				     "if holder and holder ~= ARGV[1] then return holder end\n"
				     "redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])\n"
				     "return redis.call('INCR', KEYS[2])\n";

/* ARGV: owner, ttl in ms, token. The token must be the newest: an acquisition that was thought lost
   may have been carried out late, and then the old token would fence nothing. */
static const char renew_script[] =
	"if redis.call('GET', KEYS[1]) ~= ARGV[1] or redis.call('GET', KEYS[2]) ~= ARGV[3] then\n"
	"  return 0\n"
	"end\n"
	"return redis.call('PEXPIRE', KEYS[1], ARGV[2])\n";

/* ARGV: owner, unused, token. */
static const char release_script[] =
	"if redis.call('GET', KEYS[1]) == ARGV[1] and redis.call('GET', KEYS[2]) == ARGV[3] then\n"
	"  return redis.call('DEL', KEYS[1])\n"
	"end\n"
	"return 0\n";

struct lease {
	struct redis_link *link;
	char *name, *owner; /* owned */
	char *key, *fence;  /* owned: names of the two keys */
	int64_t ttl_ms;
	struct lease_hooks hooks;
	struct timer *timer;
	int64_t token;    /* 0: not held */
	int64_t until_ms; /* by the monotonic clock: from then on not held */
	int64_t since_ms;
	int64_t asked_ms; /* when the command under way was sent */
	bool is_asking;
	bool is_refused; /* the last answer was an error, and was logged */
	bool is_late;    /* the last renewal was not answered */
	bool is_closed;
	unsigned holds; /* answers to come, and functions on the stack */
};

static void tick(void *_lease);

static void release_hold(struct lease *lease)
{
	if (--lease->holds > 0 || !lease->is_closed)
		return;
	free(lease->name);
	free(lease->owner);
	free(lease->key);
	free(lease->fence);
	free(lease);
}

bool lease_is_held(const struct lease *lease)
{
	return lease->token != 0 && clock_mono_ms() < lease->until_ms;
}

int64_t lease_token(const struct lease *lease)
{
	return lease_is_held(lease) ? lease->token : 0;
}

int64_t lease_since_ms(const struct lease *lease)
{
	return lease_is_held(lease) ? lease->since_ms : 0;
}

static void lose(struct lease *lease, const char *reason)
{
	log_warn("lease lost", log_str("lease", lease->name), log_int("token", lease->token),
		 log_str("reason", reason));
	lease->token = 0;
	if (lease->hooks.on_lost != NULL)
		lease->hooks.on_lost(reason, lease->hooks.context);
}

static int ask(struct lease *lease, const char *script, redis_reply_fn *fn)
{
	if (redis_link_command(lease->link, fn, lease, "EVAL %s 2 %s %s %s %" PRId64 " %" PRId64,
			       script, lease->key, lease->fence, lease->owner, lease->ttl_ms,
			       lease->token) < 0)
		return -1;
	lease->asked_ms = clock_mono_ms();
	lease->holds++;
	return 0;
}

/* The span counts from when the command was sent, so that it ends before Redis' own; the tenth
   covers clocks that run at different rates. */
static int64_t end_of_span(const struct lease *lease)
{
	return lease->asked_ms + lease->ttl_ms - lease->ttl_ms / 10;
}

/* Returns the answer when it can be used. */
static const redisReply *take_answer(struct lease *lease, const redisReply *reply)
{
	bool refused = reply != NULL && reply->type == REDIS_REPLY_ERROR;

	lease->is_asking = false;
	if (refused && !lease->is_refused)
		log_warn("lease refused", log_str("lease", lease->name),
			 log_str("reason", reply->str));
	if (reply != NULL)
		lease->is_refused = refused;
	return refused ? NULL : reply;
}

static void on_released(const redisReply *reply, void *_lease)
{
	(void)reply;
	release_hold(_lease);
}

static void hold(struct lease *lease, int64_t token)
{
	lease->token = token;
	lease->until_ms = end_of_span(lease);
	if (lease->is_closed) {
		(void)ask(lease, release_script, on_released);
	} else if (lease_is_held(lease)) {
		lease->since_ms = clock_wall_ms();
		log_info("lease acquired", log_str("lease", lease->name), log_int("token", token));
		timer_again(lease->timer, lease->ttl_ms / 3);
		if (lease->hooks.on_acquired != NULL)
			lease->hooks.on_acquired(token, lease->hooks.context);
	} else {
		lease->token = 0; /* the answer came too late to be worth anything */
	}
}

static void on_acquire(const redisReply *reply, void *_lease)
{
	struct lease *lease = _lease;

	reply = take_answer(lease, reply);
	if (reply != NULL && reply->type == REDIS_REPLY_INTEGER)
		hold(lease, reply->integer);
	release_hold(lease);
}

static void on_renew(const redisReply *reply, void *_lease)
{
	struct lease *lease = _lease;

	reply = take_answer(lease, reply);
	if (reply != NULL && reply->type == REDIS_REPLY_INTEGER && lease->token != 0 &&
	    !lease->is_closed) {
		if (reply->integer == 1) {
			lease->until_ms = end_of_span(lease);
			lease->is_late = false;
			timer_again(lease->timer, lease->ttl_ms / 3);
		} else {
			lose(lease, "it expired or somebody else took it");
		}
	}
	release_hold(lease);
}

static int64_t next_tick_ms(const struct lease *lease)
{
	int64_t delay_ms = lease->is_late ? lease->ttl_ms / 10 : lease->ttl_ms / 3;
	int64_t left_ms = lease->until_ms - clock_mono_ms();

	/* A link that is down now may be up at once, as at the start. */
	if (lease->token == 0)
		return lease->is_asking ? lease->ttl_ms / 5 : ASK_AGAIN_MS;
	if (left_ms < delay_ms)
		delay_ms = left_ms;
	return delay_ms > 0 ? delay_ms : 0;
}

static void tick(void *_lease)
{
	struct lease *lease = _lease;

	lease->holds++;
	if (lease->token != 0 && !lease_is_held(lease))
		lose(lease, "not renewed in time");
	if (!lease->is_closed && !lease->is_asking) {
		lease->is_asking = lease->token != 0 ? ask(lease, renew_script, on_renew) == 0
						     : ask(lease, acquire_script, on_acquire) == 0;
		lease->is_late = lease->token != 0;
	}
	if (!lease->is_closed)
		timer_again(lease->timer, next_tick_ms(lease));
	release_hold(lease);
}

int lease_watch(const struct lease *lease, struct redis_link *link, redis_reply_fn *fn,
		void *context)
{
	if (redis_link_command(link, NULL, NULL, "WATCH %s", lease->fence) < 0)
		return -1;
	return redis_link_command(link, fn, context, "MGET %s %s", lease->fence, lease->key);
}

bool lease_confirms(const struct lease *lease, const redisReply *reply)
{
	const redisReply *fence, *owner;

	if (!lease_is_held(lease) || reply->type != REDIS_REPLY_ARRAY || reply->elements != 2)
		return false;
	fence = reply->element[0];
	owner = reply->element[1];
	return fence->type == REDIS_REPLY_STRING && owner->type == REDIS_REPLY_STRING &&
	       strtoll(fence->str, NULL, 10) == lease->token &&
	       strcmp(owner->str, lease->owner) == 0;
}

struct lease *lease_open(uv_loop_t *loop, struct redis_link *link, const char *name,
			 const char *owner, int64_t ttl_ms, const struct lease_hooks *hooks)
{
	struct lease *lease = mem_new(struct lease);

	lease->link = link;
	lease->name = mem_strdup(name);
	lease->owner = mem_strdup(owner);
	lease->key = mem_printf("lease:%s", name);
	lease->fence = mem_printf("fence:%s", name);
	lease->ttl_ms = ttl_ms;
	lease->hooks = *hooks;
	lease->timer = timer_start(loop, 0, 0, tick, lease);
	return lease;
}

void lease_close(struct lease **_lease)
{
	struct lease *lease = *_lease;

	*_lease = NULL;
	if (lease == NULL)
		return;
	lease->holds++;
	lease->is_closed = true;
	timer_stop(&lease->timer);
	if (lease->token != 0)
		(void)ask(lease, release_script, on_released);
	release_hold(lease);
}
