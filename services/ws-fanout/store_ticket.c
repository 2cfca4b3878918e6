/* One-use tickets: see store.h. */
#include "mem.h"
#include "store.h"

#include <stdlib.h>

struct ticket_query {
	store_ticket_fn *fn;
	void *context;
};

static void ticket_end(struct ticket_query *query, const char *session_id, bool away)
{
	query->fn(session_id, away, query->context);
	free(query);
}

static void on_ticket(const redisReply *reply, void *context)
{
	if (reply == NULL || reply->type == REDIS_REPLY_ERROR)
		ticket_end(context, NULL, true);
	else
		ticket_end(context, reply->type == REDIS_REPLY_STRING ? reply->str : NULL, false);
}

void store_ticket(struct redis_link *link, const char *ticket, store_ticket_fn *fn, void *context)
{
	struct ticket_query *query = mem_new(struct ticket_query);

	*query = (struct ticket_query){fn, context};
	if (redis_link_command(link, on_ticket, query, "GETDEL cache:ticket:%s", ticket) < 0)
		ticket_end(query, NULL, true);
}
