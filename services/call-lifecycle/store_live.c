/* Agents and queues, for REST: see proto/redis.md. */
#include "store.h"

int store_agent_names(struct redis_link *link, const char *pbx, redis_reply_fn *fn, void *context)
{
	return redis_link_command(link, fn, context, "HKEYS agents:%s", pbx);
}

int store_queue_names(struct redis_link *link, const char *pbx, redis_reply_fn *fn, void *context)
{
	return redis_link_command(link, fn, context, "SMEMBERS queues:%s", pbx);
}

int store_agent_get(struct redis_link *link, const char *extension, redis_reply_fn *fn,
		    void *context)
{
	return redis_link_command(link, fn, context, "HGETALL agent:%s", extension);
}

int store_queue_get(struct redis_link *link, const char *name, redis_reply_fn *fn, void *context)
{
	return redis_link_command(link, fn, context, "HGETALL queue:%s", name);
}

int store_wishes_position(struct redis_link *link, redis_reply_fn *fn, void *context)
{
	return redis_link_command(link, fn, context, "GET wishes:applied");
}

int store_wishes_done(struct redis_link *link, const char *id)
{
	return redis_link_command(link, NULL, NULL, "SET wishes:applied %s", id);
}

int store_live_calls(struct redis_link *link, const char *pbx, redis_reply_fn *fn, void *context)
{
	return redis_link_command(link, fn, context, "SMEMBERS calls:live:%s", pbx);
}

int store_call_state(struct redis_link *link, const char *call_id, redis_reply_fn *fn,
		     void *context)
{
	return redis_link_command(link, fn, context, "HMGET call:%s state direction extensions",
				  call_id);
}

int store_agent_state(struct redis_link *link, const char *extension, redis_reply_fn *fn,
		      void *context)
{
	return redis_link_command(link, fn, context, "HMGET agent:%s state", extension);
}

int store_queue_waiting(struct redis_link *link, const char *name, redis_reply_fn *fn,
			void *context)
{
	return redis_link_command(link, fn, context, "HMGET queue:%s waiting longestSinceAt", name);
}
