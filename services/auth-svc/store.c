#include "store.h"

#include "buffer.h"
#include "clock.h"
#include "lockout.h"
#include "mem.h"

#include "msg_event.h"
#include "msg_session_created.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EVENTS_KEEP_MS 86400000

struct store {
	struct redis_link *link;
};

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

struct waiter {
	store_done_fn *done;
	store_failures_fn *failures;
	void *context;
};

static struct waiter *waiter_new(store_done_fn *done, void *context)
{
	struct waiter *waiter = mem_new(struct waiter);

	*waiter = (struct waiter){.done = done, .context = context};
	return waiter;
}

static void answer(struct waiter *waiter, bool ok)
{
	if (waiter->done != NULL)
		waiter->done(ok, waiter->context);
	free(waiter);
}

/* A reply of EXEC is good when every command in it is; any other when it is no error. */
static bool is_good(const redisReply *reply)
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

static void on_reply(const redisReply *reply, void *context)
{
	answer(context, is_good(reply));
}

static void exec(struct store *store, struct waiter *waiter)
{
	if (redis_link_command(store->link, on_reply, waiter, "EXEC") < 0)
		answer(waiter, false);
}

void store_put_jwks(struct store *store, const char *jwks)
{
	(void)redis_link_command(store->link, NULL, NULL, "SET auth:jwks %s", jwks);
}

/* ---- failed logins ---- */

static struct store_failures read_failures(const redisReply *count, const redisReply *ttl)
{
	struct store_failures failures = {0};

	if (count->type != REDIS_REPLY_STRING || ttl->type != REDIS_REPLY_INTEGER)
		return failures;
	failures.count = strtoll(count->str, NULL, 10);
	failures.since_ms = LOCKOUT_KEEP_MS - ttl->integer;
	return failures;
}

static void on_failures(const redisReply *reply, void *context)
{
	struct waiter *waiter = context;
	struct store_failures none = {0};

	if (reply == NULL || reply->type != REDIS_REPLY_ARRAY || reply->elements != 4 ||
	    !is_good(reply))
		waiter->failures(false, none, none, waiter->context);
	else
		waiter->failures(true, read_failures(reply->element[0], reply->element[1]),
				 read_failures(reply->element[2], reply->element[3]),
				 waiter->context);
	free(waiter);
}

void store_get_failures(struct store *store, const char *username, const char *address,
			store_failures_fn *done, void *context)
{
	struct waiter *waiter = waiter_new(NULL, context);
	struct redis_link *link = store->link;

	waiter->failures = done;
	(void)redis_link_command(link, NULL, NULL, "MULTI");
	(void)redis_link_command(link, NULL, NULL, "GET auth:fail:user:%s", username);
	(void)redis_link_command(link, NULL, NULL, "PTTL auth:fail:user:%s", username);
	(void)redis_link_command(link, NULL, NULL, "GET auth:fail:addr:%s", address);
	(void)redis_link_command(link, NULL, NULL, "PTTL auth:fail:addr:%s", address);
	if (redis_link_command(link, on_failures, waiter, "EXEC") < 0)
		on_failures(NULL, waiter);
}

void store_add_failure(struct store *store, const char *username, const char *address,
		       store_done_fn *done, void *context)
{
	struct redis_link *link = store->link;

	(void)redis_link_command(link, NULL, NULL, "MULTI");
	(void)redis_link_command(link, NULL, NULL, "INCR auth:fail:user:%s", username);
	(void)redis_link_command(link, NULL, NULL, "PEXPIRE auth:fail:user:%s %d", username,
				 LOCKOUT_KEEP_MS);
	(void)redis_link_command(link, NULL, NULL, "INCR auth:fail:addr:%s", address);
	(void)redis_link_command(link, NULL, NULL, "PEXPIRE auth:fail:addr:%s %d", address,
				 LOCKOUT_KEEP_MS);
	exec(store, waiter_new(done, context));
}

/* ---- sessions ---- */

/* The envelope around data, on the stream and on the channel. */
static void publish(struct store *store, const char *type, const struct principal *who,
		    const struct buffer *data)
{
	struct buffer text = {0};
	struct json_writer json = json_writer_init(&text);
	char *key = mem_printf("session:%s", who->session_id);
	struct msg_event event = {
		.event_type = type,
		.timestamp = clock_wall_ms(),
		.data.text = buffer_str(data),
		.redis_key = key,
	};

	if (who->extension[0] != '\0') {
		event.extension = who->extension;
		event.extensions[0] = who->extension;
		event.extensions_count = 1;
	}
	msg_event_write(&event, &json);
	(void)redis_link_command(store->link, NULL, NULL,
				 "XADD events:session MINID ~ %" PRId64 " * e %b",
				 event.timestamp - EVENTS_KEEP_MS, text.data, text.len);
	(void)redis_link_command(store->link, NULL, NULL, "PUBLISH session:changes %b", text.data,
				 text.len);
	buffer_free(&text);
	free(key);
}

static void publish_created(struct store *store, const struct principal *who)
{
	struct buffer data = {0};
	struct json_writer json = json_writer_init(&data);
	struct msg_session_created message = {
		.session_id = who->session_id,
		.user_id = who->user_id,
		.username = who->username,
		.role = (enum msg_session_created_role)who->role,
		.extension = who->extension[0] != '\0' ? who->extension : NULL,
		.expires_at = who->expires_at_ms,
	};

	msg_session_created_write(&message, &json);
	publish(store, "session:created", who, &data);
	buffer_free(&data);
}

static void publish_revoked(struct store *store, const struct principal *who,
			    enum msg_session_revoked_reason reason)
{
	struct buffer data = {0};
	struct json_writer json = json_writer_init(&data);
	struct msg_session_revoked message = {
		.session_id = who->session_id,
		.user_id = who->user_id,
		.username = who->username,
		.reason = reason,
	};

	msg_session_revoked_write(&message, &json);
	publish(store, "session:revoked", who, &data);
	buffer_free(&data);
}

struct creation {
	struct store *store;
	struct principal who;
	struct waiter *waiter;
};

/* Element of the EXEC below that lists the sessions beyond sessions_max. */
#define SURPLUS_ELEMENT 5

static void revoke_surplus(const struct creation *creation, const redisReply *surplus)
{
	struct principal who = creation->who;

	for (size_t i = 0; i < surplus->elements; i++) {
		snprintf(who.session_id, sizeof(who.session_id), "%s", surplus->element[i]->str);
		store_revoke_session(creation->store, &who, MSG_SESSION_REVOKED_REASON_REPLACED,
				     NULL, NULL);
	}
}

static void on_session_created(const redisReply *reply, void *context)
{
	struct creation *creation = context;
	bool ok = is_good(reply);

	if (ok)
		revoke_surplus(creation, reply->element[SURPLUS_ELEMENT]);
	answer(creation->waiter, ok);
	free(creation);
}

void store_create_session(struct store *store, const struct store_session *session,
			  store_done_fn *done, void *context)
{
	const struct principal *who = &session->who;
	struct redis_link *link = store->link;
	struct creation *creation = mem_new(struct creation);

	*creation = (struct creation){store, *who, waiter_new(done, context)};
	(void)redis_link_command(link, NULL, NULL, "MULTI");
	(void)redis_link_command(
		link, NULL, NULL,
		"HSET session:%s userId %s username %s role %s extension %s "
		"amiSessionId %s address %s createdAt %" PRId64 " expiresAt %" PRId64,
		who->session_id, who->user_id, who->username, role_name(who->role), who->extension,
		who->ami_session_id, session->address, session->created_at_ms, who->expires_at_ms);
	(void)redis_link_command(link, NULL, NULL, "PEXPIREAT session:%s %" PRId64, who->session_id,
				 who->expires_at_ms);
	(void)redis_link_command(link, NULL, NULL, "ZADD user:sessions:%s %" PRId64 " %s",
				 who->user_id, who->expires_at_ms, who->session_id);
	(void)redis_link_command(link, NULL, NULL, "PEXPIREAT user:sessions:%s %" PRId64,
				 who->user_id, who->expires_at_ms);
	(void)redis_link_command(link, NULL, NULL,
				 "ZREMRANGEBYSCORE user:sessions:%s -inf %" PRId64, who->user_id,
				 session->created_at_ms);
	(void)redis_link_command(link, NULL, NULL, "ZREVRANGE user:sessions:%s %" PRId64 " -1",
				 who->user_id, session->sessions_max);
	(void)redis_link_command(link, NULL, NULL, "DEL auth:fail:user:%s", who->username);
	publish_created(store, who);
	if (redis_link_command(link, on_session_created, creation, "EXEC") < 0)
		on_session_created(NULL, creation);
}

void store_revoke_session(struct store *store, const struct principal *who,
			  enum msg_session_revoked_reason reason, store_done_fn *done,
			  void *context)
{
	struct redis_link *link = store->link;

	(void)redis_link_command(link, NULL, NULL, "MULTI");
	(void)redis_link_command(link, NULL, NULL, "DEL session:%s", who->session_id);
	(void)redis_link_command(link, NULL, NULL, "ZREM user:sessions:%s %s", who->user_id,
				 who->session_id);
	publish_revoked(store, who, reason);
	exec(store, waiter_new(done, context));
}

void store_put_ticket(struct store *store, const char *ticket, const char *session_id,
		      int64_t ttl_ms, store_done_fn *done, void *context)
{
	struct waiter *waiter = waiter_new(done, context);

	if (redis_link_command(store->link, on_reply, waiter, "SET cache:ticket:%s %s PX %" PRId64,
			       ticket, session_id, ttl_ms) < 0)
		answer(waiter, false);
}
