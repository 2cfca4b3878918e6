#include "store_internal.h"

#include "clock.h"
#include "mem.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

struct store *store_new(struct redis_link *link)
{
	struct store *store = mem_new(struct store);

	store->link = link;
	return store;
}

void store_free(struct store **_store)
{
	free(*_store);
	*_store = NULL;
}

/* ---- answers ---- */

struct store_waiter *store_waiter_new(store_done_fn *done, void *context)
{
	struct store_waiter *waiter = mem_new(struct store_waiter);

	*waiter = (struct store_waiter){.done = done, .context = context};
	return waiter;
}

void store_on_agent(struct store *store, void (*fn)(const char *extension, void *context),
		    void *context)
{
	store->on_agent = fn;
	store->on_agent_context = context;
}

void store_agent_moved(struct store *store, const char *extension)
{
	if (store->on_agent != NULL)
		store->on_agent(extension, store->on_agent_context);
}

void store_answer(struct store_waiter *waiter, bool ok)
{
	if (ok && waiter->extension[0] != '\0')
		store_agent_moved(waiter->store, waiter->extension);
	if (waiter->done != NULL)
		waiter->done(ok, waiter->context);
	free(waiter);
}

bool store_is_good(const redisReply *reply)
{
	if (reply == NULL || reply->type == REDIS_REPLY_ERROR || reply->type == REDIS_REPLY_NIL)
		return false;
	if (reply->type != REDIS_REPLY_ARRAY)
		return true;
	for (size_t i = 0; i < reply->elements; i++)
		if (reply->element[i]->type == REDIS_REPLY_ERROR)
			return false;
	return true;
}

void store_on_reply(const redisReply *reply, void *waiter)
{
	store_answer(waiter, store_is_good(reply));
}

void store_copy(char *out, size_t size, const redisReply *value)
{
	snprintf(out, size, "%s", value->str != NULL ? value->str : "");
}

int64_t store_number(const redisReply *value)
{
	if (value->type == REDIS_REPLY_INTEGER)
		return value->integer;
	return value->str != NULL ? strtoll(value->str, NULL, 10) : 0;
}

void store_send_event(struct store *store, const char *stream, const char *channel,
		      const struct buffer *event)
{
	(void)redis_link_command(store->link, NULL, NULL, "XADD %s MINID ~ %" PRId64 " * e %b",
				 stream, clock_wall_ms() - EVENTS_KEEP_MS, event->data, event->len);
	(void)redis_link_command(store->link, NULL, NULL, "PUBLISH %s %b", channel, event->data,
				 event->len);
}

/* ---- keys, tickets ---- */

void store_put_jwks(struct store *store, const char *jwks)
{
	(void)redis_link_command(store->link, NULL, NULL, "SET auth:jwks %s", jwks);
}

void store_put_ticket(struct store *store, const char *ticket, const char *session_id,
		      int64_t ttl_ms, store_done_fn *done, void *context)
{
	struct store_waiter *waiter = store_waiter_new(done, context);

	if (redis_link_command(store->link, store_on_reply, waiter,
			       "SET cache:ticket:%s %s PX %" PRId64, ticket, session_id,
			       ttl_ms) < 0)
		store_answer(waiter, false);
}
