/* One-use tickets: see store.h. */
#include "clock.h"
#include "mem.h"
#include "principal.h"
#include "store.h"

#include <stdlib.h>
#include <string.h>

struct ticket_query {
	struct redis_link *link;
	store_ticket_fn *fn;
	void *context;
	char session_id[40];
};

enum ticket_field {
	FIELD_USER_ID,
	FIELD_USERNAME,
	FIELD_ROLE,
	FIELD_EXTENSION,
	FIELD_AMI_SESSION,
	FIELD_EXPIRES,
	FIELD_COUNT
};

static void ticket_end(struct ticket_query *query, const struct principal *who, bool away)
{
	query->fn(who, away, query->context);
	free(query);
}

static bool copy(const redisReply *reply, char *out, size_t size)
{
	if (reply->type != REDIS_REPLY_STRING || (size_t)reply->len >= size)
		return false;
	memcpy(out, reply->str, (size_t)reply->len + 1);
	return true;
}

static bool read_session(const redisReply *reply, struct principal *who_r)
{
	redisReply **field = reply->element;
	char role[16], expires[24];

	if (!copy(field[FIELD_USER_ID], who_r->user_id, sizeof(who_r->user_id)) ||
	    !copy(field[FIELD_USERNAME], who_r->username, sizeof(who_r->username)) ||
	    !copy(field[FIELD_ROLE], role, sizeof(role)) || !role_parse(role, &who_r->role) ||
	    !copy(field[FIELD_EXPIRES], expires, sizeof(expires)))
		return false;
	(void)copy(field[FIELD_EXTENSION], who_r->extension, sizeof(who_r->extension));
	(void)copy(field[FIELD_AMI_SESSION], who_r->ami_session_id, sizeof(who_r->ami_session_id));
	who_r->permissions = role_permissions(who_r->role);
	who_r->expires_at_ms = strtoll(expires, NULL, 10);
	return who_r->expires_at_ms > clock_wall_ms();
}

static void on_ticket_session(const redisReply *reply, void *context)
{
	struct ticket_query *query = context;
	struct principal who = {0};
	bool answered =
		reply != NULL && reply->type == REDIS_REPLY_ARRAY && reply->elements == FIELD_COUNT;

	strcpy(who.session_id, query->session_id);
	ticket_end(query, answered && read_session(reply, &who) ? &who : NULL, !answered);
}

static void on_ticket(const redisReply *reply, void *context)
{
	struct ticket_query *query = context;

	if (reply == NULL || reply->type == REDIS_REPLY_ERROR)
		ticket_end(query, NULL, true);
	else if (!copy(reply, query->session_id, sizeof(query->session_id)))
		ticket_end(query, NULL, false);
	else if (redis_link_command(query->link, on_ticket_session, query,
				    "HMGET session:%s userId username role extension amiSessionId "
				    "expiresAt",
				    query->session_id) < 0)
		ticket_end(query, NULL, true);
}

void store_ticket(struct redis_link *link, const char *ticket, store_ticket_fn *fn, void *context)
{
	struct ticket_query *query = mem_new(struct ticket_query);

	*query = (struct ticket_query){.link = link, .fn = fn, .context = context};
	if (redis_link_command(link, on_ticket, query, "GETDEL cache:ticket:%s", ticket) < 0)
		ticket_end(query, NULL, true);
}
