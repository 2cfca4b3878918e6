#include "store.h"

#include "mem.h"

#include <inttypes.h>
#include <stdlib.h>

int store_get(struct redis_link *link, const char *id, redis_reply_fn *fn, void *context)
{
	return redis_link_command(link, fn, context, "HGETALL transfer:%s", id);
}

int store_of_call(struct redis_link *link, const char *call_id, redis_reply_fn *fn, void *context)
{
	return redis_link_command(link, fn, context, "GET transfer:call:%s", call_id);
}

int store_call(struct redis_link *link, const char *call_id, redis_reply_fn *fn, void *context)
{
	return redis_link_command(link, fn, context,
				  "HMGET call:%s callId pbx state channels extensions mergedInto "
				  "segments transfers",
				  call_id);
}

int store_applied(struct redis_link *link, const char *pbx, redis_reply_fn *fn, void *context)
{
	return redis_link_command(link, fn, context, "HGET lifecycle:%s appliedId", pbx);
}

int store_pbx(struct redis_link *link, const char *pbx, redis_reply_fn *fn, void *context)
{
	return redis_link_command(link, fn, context, "HGET pbx:%s state", pbx);
}

int store_due(struct redis_link *link, int64_t now, int max, redis_reply_fn *fn, void *context)
{
	return redis_link_command(link, fn, context,
				  "ZRANGEBYSCORE transfers:deadlines -inf %" PRId64 " LIMIT 0 %d",
				  now, max);
}

int store_under_way(struct redis_link *link, redis_reply_fn *fn, void *context)
{
	return redis_link_command(link, fn, context, "ZRANGE transfers:deadlines 0 -1");
}

int store_recent(struct redis_link *link, const char *extension, int64_t until, int max,
		 redis_reply_fn *fn, void *context)
{
	char *key = extension != NULL ? mem_printf("transfers:of:%s", extension)
				      : mem_strdup("transfers:recent");
	int sent = redis_link_command(link, fn, context,
				      "ZREVRANGEBYSCORE %s %" PRId64 " -inf WITHSCORES LIMIT 0 %d",
				      key, until, max);

	free(key);
	return sent;
}

int store_counts(struct redis_link *link, redis_reply_fn *under_way, redis_reply_fn *unsaved,
		 void *context)
{
	if (redis_link_command(link, under_way, context, "ZCARD transfers:deadlines") < 0)
		return -1;
	return redis_link_command(link, unsaved, context, "SCARD transfers:unsaved");
}

int store_unsaved(struct redis_link *link, int max, redis_reply_fn *fn, void *context)
{
	return redis_link_command(link, fn, context, "SRANDMEMBER transfers:unsaved %d", max);
}

int store_saved(struct redis_link *link, const char *id)
{
	if (redis_link_command(link, NULL, NULL, "EXPIRE transfer:%s 86400", id) < 0)
		return -1;
	return redis_link_command(link, NULL, NULL, "SREM transfers:unsaved %s", id);
}

char *store_source(const char *pbx)
{
	return mem_printf("events:ami:%s", pbx);
}

#define STREAMS_MAX 32

int store_positions(struct redis_link *link, const char *const *streams, size_t count,
		    redis_reply_fn *fn, void *context)
{
	const char *words[2 + STREAMS_MAX] = {"HMGET", "transfers:follow"};

	if (count > STREAMS_MAX)
		count = STREAMS_MAX;
	for (size_t i = 0; i < count; i++)
		words[2 + i] = streams[i];
	return redis_link_argv(link, fn, context, (int)(2 + count), words, NULL);
}

int store_position(struct redis_link *link, const char *stream, const char *id, redis_reply_fn *fn,
		   void *context)
{
	return redis_link_command(link, fn, context, "HSET transfers:follow %s %s", stream, id);
}

int store_heard(struct redis_link *link, redis_reply_fn *fn, void *context)
{
	return redis_link_command(link, fn, context, "HGET transfers:follow heardAt");
}

int store_heard_at(struct redis_link *link, int64_t at)
{
	return redis_link_command(link, NULL, NULL, "HSET transfers:follow heardAt %" PRId64, at);
}
