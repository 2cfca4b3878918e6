/* Lists of sessions, and what is changed in them while they live. */
#include "store_internal.h"

#include "mem.h"
#include "store_agent.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct listing {
	store_sessions_fn *done;
	void *context;
};

/* The first element is the next cursor, "" after the last; the others are sessions. */
static void on_list(const redisReply *reply, void *context)
{
	struct listing *listing = context;
	struct store_session *list;
	size_t count = 0;
	const char *next;

	if (reply == NULL || reply->type != REDIS_REPLY_ARRAY || reply->elements < 1) {
		listing->done(false, NULL, 0, NULL, listing->context);
		free(listing);
		return;
	}
	list = mem_array(struct store_session, reply->elements);
	for (size_t i = 1; i < reply->elements; i++)
		if (store_read_session(reply->element[i], &list[count]))
			count++;
	next = reply->element[0]->str;
	listing->done(true, list, count, next != NULL && next[0] != '\0' ? next : NULL,
		      listing->context);
	free(list);
	free(listing);
}

static struct listing *listing_new(store_sessions_fn *done, void *context)
{
	struct listing *listing = mem_new(struct listing);

	*listing = (struct listing){done, context};
	return listing;
}

void store_list_user_sessions(struct store *store, const char *user_id, store_sessions_fn *done,
			      void *context)
{
	static const char script[] = "local found = {''} "
				     "for _, id in ipairs(redis.call('ZRANGE', KEYS[1], 0, -1)) do "
				     "found[#found + 1] = read(id) end return found";
	struct listing *listing = listing_new(done, context);

	if (redis_link_command(store->link, on_list, listing, "EVAL %s%s 1 user:sessions:%s",
			       store_read_session_lua, script, user_id) < 0)
		on_list(NULL, listing);
}

void store_list_sessions(struct store *store, const char *cursor, size_t limit,
			 store_sessions_fn *done, void *context)
{
	static const char script[] =
		"local from = ARGV[1] == '' and '-' or '(' .. ARGV[1] "
		"local list = redis.call('ZRANGE', KEYS[1], from, '+', 'BYLEX', 'LIMIT', 0, "
		"ARGV[2] + 1) "
		"local found = {''} "
		"for i = 1, math.min(#list, tonumber(ARGV[2])) do "
		"found[#found + 1] = read(string.match(list[i], ':(.*)$')) end "
		"if #list > tonumber(ARGV[2]) then found[1] = list[#list - 1] end "
		"return found";
	struct listing *listing = listing_new(done, context);

	if (redis_link_command(store->link, on_list, listing, "EVAL %s%s 1 sessions %s %d",
			       store_read_session_lua, script, cursor != NULL ? cursor : "",
			       (int)limit) < 0)
		on_list(NULL, listing);
}

void store_set_session_field(struct store *store, const char *user_id, const char *field,
			     const char *value)
{
	static const char script[] =
		"for _, id in ipairs(redis.call('ZRANGE', KEYS[1], 0, -1)) do "
		"if redis.call('EXISTS', 'session:' .. id) == 1 then "
		"redis.call('HSET', 'session:' .. id, ARGV[1], ARGV[2]) end end return 1";

	(void)redis_link_command(store->link, NULL, NULL, "EVAL %s 1 user:sessions:%s %s %s",
				 script, user_id, field, value);
}

void store_set_ami_session(struct store *store, const struct principal *who,
			   const char *ami_session_id, const char *extension, store_done_fn *done,
			   void *context)
{
	static const char script[] =
		"if redis.call('EXISTS', KEYS[1]) == 0 then return 0 end "
		"local was = redis.call('HGET', KEYS[1], 'extension') or '' "
		"redis.call('HSET', KEYS[1], 'amiSessionId', ARGV[2], 'extension', ARGV[3]) "
		"redis.call('ZREM', KEYS[2], was .. ':' .. ARGV[1]) "
		"redis.call('ZADD', KEYS[2], 0, ARGV[3] .. ':' .. ARGV[1]) return 1";
	struct store_waiter *waiter = store_waiter_new(done, context);
	struct redis_link *link = store->link;

	waiter->store = store;
	strcpy(waiter->extension, extension);
	(void)redis_link_command(link, NULL, NULL, "MULTI");
	(void)redis_link_command(link, NULL, NULL, "EVAL %s 2 session:%s sessions %s %s %s", script,
				 who->session_id, who->session_id, ami_session_id, extension);
	if (who->extension[0] != '\0' && (ami_session_id[0] == '\0'))
		store_agent_leaves(store, who->extension, who->user_id);
	if (extension[0] != '\0' && ami_session_id[0] != '\0')
		store_agent_arrives(store, extension, who->user_id);
	if (redis_link_command(link, store_on_reply, waiter, "EXEC") < 0)
		store_answer(waiter, false);
}
