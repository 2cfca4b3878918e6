#include "store.h"

#include "buffer.h"
#include "clock.h"
#include "lockout.h"
#include "mem.h"
#include "session_event.h"

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
	store_session_fn *session;
	store_counted_fn *counted;
	char session_id[40];
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
	struct waiter *waiter = waiter_new(done, context);

	(void)redis_link_command(link, NULL, NULL, "MULTI");
	(void)redis_link_command(link, NULL, NULL, "INCR auth:fail:user:%s", username);
	(void)redis_link_command(link, NULL, NULL, "PEXPIRE auth:fail:user:%s %d", username,
				 LOCKOUT_KEEP_MS);
	(void)redis_link_command(link, NULL, NULL, "INCR auth:fail:addr:%s", address);
	(void)redis_link_command(link, NULL, NULL, "PEXPIRE auth:fail:addr:%s %d", address,
				 LOCKOUT_KEEP_MS);
	if (redis_link_command(link, on_reply, waiter, "EXEC") < 0)
		answer(waiter, false);
}

/* ---- sessions ---- */

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
	struct buffer event = {0};

	*creation = (struct creation){store, *who, waiter_new(done, context)};
	(void)redis_link_command(link, NULL, NULL, "MULTI");
	(void)redis_link_command(link, NULL, NULL,
				 "HSET session:%s userId %s username %s role %s extension %s "
				 "amiSessionId %s address %s refreshKey %s refreshes %" PRId64
				 " createdAt %" PRId64 " expiresAt %" PRId64,
				 who->session_id, who->user_id, who->username, role_name(who->role),
				 who->extension, who->ami_session_id, session->address,
				 session->refresh_key, session->refreshes, session->created_at_ms,
				 who->expires_at_ms);
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
	session_event_created(who, &event);
	(void)redis_link_command(link, NULL, NULL, "XADD events:session MINID ~ %" PRId64 " * e %b",
				 session->created_at_ms - EVENTS_KEEP_MS, event.data, event.len);
	(void)redis_link_command(link, NULL, NULL, "PUBLISH session:changes %b", event.data,
				 event.len);
	buffer_free(&event);
	if (redis_link_command(link, on_session_created, creation, "EXEC") < 0)
		on_session_created(NULL, creation);
}

/* A script, so that a session that is ended twice at once is told once. */
void store_revoke_session(struct store *store, const struct principal *who,
			  enum msg_session_revoked_reason reason, store_done_fn *done,
			  void *context)
{
	static const char script[] =
		"redis.call('ZREM', KEYS[2], ARGV[1]) "
		"if redis.call('DEL', KEYS[1]) == 0 then return 0 end "
		"redis.call('XADD', KEYS[3], 'MINID', '~', ARGV[2], '*', 'e', ARGV[3]) "
		"redis.call('PUBLISH', 'session:changes', ARGV[3]) return 1";
	struct waiter *waiter = waiter_new(done, context);
	struct buffer event = {0};

	session_event_revoked(who, reason, &event);
	if (redis_link_command(store->link, on_reply, waiter,
			       "EVAL %s 3 session:%s user:sessions:%s events:session %s %" PRId64
			       " %b",
			       script, who->session_id, who->user_id, who->session_id,
			       clock_wall_ms() - EVENTS_KEEP_MS, event.data, event.len) < 0)
		answer(waiter, false);
	buffer_free(&event);
}

/* ---- refresh ---- */

enum {
	SESSION_USER_ID,
	SESSION_USERNAME,
	SESSION_ROLE,
	SESSION_EXTENSION,
	SESSION_AMI,
	SESSION_EXPIRES,
	SESSION_REFRESH_KEY,
	SESSION_REFRESHES,
	SESSION_FIELDS
};

static void copy(char *out, size_t size, const redisReply *value)
{
	snprintf(out, size, "%s", value->str != NULL ? value->str : "");
}

static int64_t number(const redisReply *value)
{
	return value->str != NULL ? strtoll(value->str, NULL, 10) : 0;
}

/* False when there is no session, or one that was not written here. */
static bool read_session(const redisReply *reply, struct store_session *session_r)
{
	struct principal *who = &session_r->who;
	redisReply *const *value = reply->element;
	char role[33];

	copy(who->user_id, sizeof(who->user_id), value[SESSION_USER_ID]);
	copy(who->username, sizeof(who->username), value[SESSION_USERNAME]);
	copy(role, sizeof(role), value[SESSION_ROLE]);
	copy(who->extension, sizeof(who->extension), value[SESSION_EXTENSION]);
	copy(who->ami_session_id, sizeof(who->ami_session_id), value[SESSION_AMI]);
	copy(session_r->refresh_key, sizeof(session_r->refresh_key), value[SESSION_REFRESH_KEY]);
	who->expires_at_ms = number(value[SESSION_EXPIRES]);
	session_r->refreshes = number(value[SESSION_REFRESHES]);
	return who->user_id[0] != '\0' && session_r->refresh_key[0] != '\0' &&
	       role_parse(role, &who->role);
}

static void on_session(const redisReply *reply, void *context)
{
	struct waiter *waiter = context;
	struct store_session session = {0};

	strcpy(session.who.session_id, waiter->session_id);
	if (reply == NULL || reply->type != REDIS_REPLY_ARRAY || reply->elements != SESSION_FIELDS)
		waiter->session(false, NULL, waiter->context);
	else
		waiter->session(true, read_session(reply, &session) ? &session : NULL,
				waiter->context);
	free(waiter);
}

void store_get_session(struct store *store, const char *session_id, store_session_fn *done,
		       void *context)
{
	struct waiter *waiter = waiter_new(NULL, context);

	waiter->session = done;
	snprintf(waiter->session_id, sizeof(waiter->session_id), "%s", session_id);
	if (redis_link_command(store->link, on_session, waiter,
			       "HMGET session:%s userId username role extension amiSessionId "
			       "expiresAt refreshKey refreshes",
			       session_id) < 0)
		on_session(NULL, waiter);
}

static void on_counted(const redisReply *reply, void *context)
{
	struct waiter *waiter = context;
	enum store_counted counted = STORE_COUNTED_UNKNOWN;

	if (reply != NULL && reply->type == REDIS_REPLY_INTEGER)
		counted = reply->integer == 1 ? STORE_COUNTED : STORE_COUNTED_BEFORE;
	waiter->counted(counted, waiter->context);
	free(waiter);
}

void store_count_refresh(struct store *store, const char *session_id, int64_t count,
			 store_counted_fn *done, void *context)
{
	static const char script[] =
		"if redis.call('HGET', KEYS[1], 'refreshes') ~= ARGV[1] then return 0 end "
		"redis.call('HINCRBY', KEYS[1], 'refreshes', 1) return 1";
	struct waiter *waiter = waiter_new(NULL, context);

	waiter->counted = done;
	if (redis_link_command(store->link, on_counted, waiter, "EVAL %s 1 session:%s %" PRId64,
			       script, session_id, count) < 0)
		on_counted(NULL, waiter);
}

void store_put_ticket(struct store *store, const char *ticket, const char *session_id,
		      int64_t ttl_ms, store_done_fn *done, void *context)
{
	struct waiter *waiter = waiter_new(done, context);

	if (redis_link_command(store->link, on_reply, waiter, "SET cache:ticket:%s %s PX %" PRId64,
			       ticket, session_id, ttl_ms) < 0)
		answer(waiter, false);
}
