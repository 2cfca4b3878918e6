/* Recordings: what the keeper asks and says. */
#include "store.h"

#include <inttypes.h>
#include <stdio.h>

int store_recordings_unsummed(struct redis_link *link, int64_t before, redis_reply_fn *fn,
			      void *context)
{
	char at[24];

	snprintf(at, sizeof(at), "%" PRId64, before);
	return redis_link_command(link, fn, context,
				  "ZRANGEBYSCORE recordings:unsummed -inf %s LIMIT 0 1", at);
}

int store_recording_sum(struct redis_link *link, const char *id, redis_reply_fn *fn, void *context)
{
	return redis_link_command(link, fn, context, "HMGET recording:%s bytes sha256", id);
}

int store_recording_set_sum(struct redis_link *link, const char *id, int64_t bytes,
			    const char *sha256)
{
	char size[24];

	snprintf(size, sizeof(size), "%" PRId64, bytes);
	return redis_link_command(link, NULL, NULL, "HSET recording:%s bytes %s sha256 %s", id,
				  size, sha256);
}

int store_recording_summed(struct redis_link *link, const char *id, int64_t again_at)
{
	char at[24];

	if (again_at == 0)
		return redis_link_command(link, NULL, NULL, "ZREM recordings:unsummed %s", id);
	snprintf(at, sizeof(at), "%" PRId64, again_at);
	return redis_link_command(link, NULL, NULL, "ZADD recordings:unsummed XX %s %s", at, id);
}

int store_recordings_old(struct redis_link *link, int64_t before, int max, redis_reply_fn *fn,
			 void *context)
{
	char at[24];

	snprintf(at, sizeof(at), "%" PRId64, before);
	return redis_link_command(link, fn, context,
				  "ZRANGEBYSCORE recordings:kept -inf %s LIMIT 0 %d", at, max);
}

int store_recording_forget(struct redis_link *link, const char *id)
{
	if (redis_link_command(link, NULL, NULL, "DEL recording:%s", id) < 0 ||
	    redis_link_command(link, NULL, NULL, "ZREM recordings:unsummed %s", id) < 0)
		return -1;
	return redis_link_command(link, NULL, NULL, "ZREM recordings:kept %s", id);
}
