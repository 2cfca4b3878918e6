/* Attempts to log in: each is counted as a failure before its password is looked at, and taken back
   when it was right. So as many attempts at once as there may be have no more guesses than the same
   one after the other. */
#include "store_internal.h"

#include "mem.h"

#include <inttypes.h>
#include <stdlib.h>

/* Failures are forgotten this long after the last one. */
#define KEEP_MS 900000
/* Many people may stand behind one address: it has this many times the free failures of a user. */
#define ADDRESS_FACTOR 10
#define WAIT_MIN_MS    1000
#define WAIT_MAX_MS    300000
/* Failures of everyone are counted over so long; past their limit somebody tries few passwords on
   many names from many addresses, and one failure is all that is free. */
#define EVERYONE_MS 60000

/* KEYS: user, address, everyone. ARGV: free of a user, free of an address, keep, shortest wait,
   longest, limit of everyone, its span. Answers the wait, and 1 when the limit was crossed just
   now. */
static const char reserve_script[] =
	"local all = tonumber(redis.call('GET', KEYS[3]) or '0') "
	"local alarm = all > tonumber(ARGV[6]) "
	"local function wait(key, free) "
	"  local n = tonumber(redis.call('GET', key) or '0') "
	"  if alarm then free = 1 end "
	"  if n < free then return 0 end "
	"  local ms = math.min(tonumber(ARGV[5]), tonumber(ARGV[4]) * 2 ^ math.min(n - free, 20)) "
	"  return math.max(0, ms - (tonumber(ARGV[3]) - redis.call('PTTL', key))) end "
	"local ms = math.max(wait(KEYS[1], tonumber(ARGV[1])), wait(KEYS[2], tonumber(ARGV[2]))) "
	"if ms > 0 then return {math.ceil(ms), 0} end "
	"for i = 1, 2 do redis.call('INCR', KEYS[i]) redis.call('PEXPIRE', KEYS[i], ARGV[3]) end "
	"all = redis.call('INCR', KEYS[3]) "
	"if all == 1 then redis.call('PEXPIRE', KEYS[3], ARGV[7]) end "
	"return {0, all == tonumber(ARGV[6]) + 1 and 1 or 0}";

/* KEYS as above; ARGV: 1 when the user's own failures are forgotten too. */
static const char settle_script[] =
	"for i = 1, 3 do if tonumber(redis.call('GET', KEYS[i]) or '0') > 0 "
	"then redis.call('DECR', KEYS[i]) end end "
	"if ARGV[1] == '1' then redis.call('DEL', KEYS[1]) end return 1";

struct reservation {
	store_reserved_fn *done;
	void *context;
};

static void on_reserved(const redisReply *reply, void *context)
{
	struct reservation *reservation = context;

	if (reply == NULL || reply->type != REDIS_REPLY_ARRAY || reply->elements != 2)
		reservation->done(false, 0, false, reservation->context);
	else
		reservation->done(true, reply->element[0]->integer, reply->element[1]->integer == 1,
				  reservation->context);
	free(reservation);
}

void store_reserve_attempt(struct store *store, const char *username, const char *address,
			   const struct store_limits *limits, store_reserved_fn *done,
			   void *context)
{
	struct reservation *reservation = mem_new(struct reservation);

	*reservation = (struct reservation){done, context};
	if (redis_link_command(store->link, on_reserved, reservation,
			       "EVAL %s 3 auth:fail:user:%s auth:fail:addr:%s auth:fail:all "
			       "%" PRId64 " %" PRId64 " %d %d %d %" PRId64 " %d",
			       reserve_script, username, address, limits->failures_free,
			       limits->failures_free * ADDRESS_FACTOR, KEEP_MS, WAIT_MIN_MS,
			       WAIT_MAX_MS, limits->failures_of_all, EVERYONE_MS) < 0)
		on_reserved(NULL, reservation);
}

void store_settle_attempt(struct store *store, const char *username, const char *address,
			  bool right)
{
	(void)redis_link_command(store->link, NULL, NULL,
				 "EVAL %s 3 auth:fail:user:%s auth:fail:addr:%s auth:fail:all %d",
				 settle_script, username, address, right ? 1 : 0);
}

void store_forget_attempts(struct store *store, const char *username, store_done_fn *done,
			   void *context)
{
	struct store_waiter *waiter = store_waiter_new(done, context);

	if (redis_link_command(store->link, store_on_reply, waiter, "DEL auth:fail:user:%s",
			       username) < 0)
		store_answer(waiter, false);
}
