/* Making, reading, refreshing and ending one session. */
#include "store_internal.h"

#include "clock.h"
#include "mem.h"
#include "session_event.h"
#include "store_agent.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- a new one ---- */

struct creation {
	struct store *store;
	struct store_waiter *waiter;
};

/* Element of the EXEC below that lists the sessions beyond sessions_max. */
#define SURPLUS_ELEMENT 5

static void revoke_replaced(bool ok, const struct store_session *session, void *store)
{
	if (ok && session != NULL)
		store_revoke_session(store, &session->who, MSG_SESSION_REVOKED_REASON_REPLACED,
				     NULL, NULL);
}

static void revoke_surplus(const struct creation *creation, const redisReply *surplus)
{
	for (size_t i = 0; i < surplus->elements; i++)
		store_get_session(creation->store, surplus->element[i]->str, revoke_replaced,
				  creation->store);
}

static void on_created(const redisReply *reply, void *context)
{
	struct creation *creation = context;
	bool ok = reply != NULL && store_is_good(reply);

	if (ok)
		revoke_surplus(creation, reply->element[SURPLUS_ELEMENT]);
	store_answer(creation->waiter, ok);
	free(creation);
}

/* When Redis forgets it unless it is refreshed. */
static int64_t ends_at(int64_t now_ms, int64_t idle_ms, int64_t expires_at_ms)
{
	return now_ms + idle_ms < expires_at_ms ? now_ms + idle_ms : expires_at_ms;
}

static void send_hash(struct redis_link *link, const struct store_session *session)
{
	const struct principal *who = &session->who;

	(void)redis_link_command(
		link, NULL, NULL,
		"HSET session:%s userId %s username %s role %s extension %s amiSessionId %s "
		"teams %s team %s address %s device %s refreshKey %s refreshes %" PRId64
		" createdAt %" PRId64 " refreshedAt %" PRId64 " expiresAt %" PRId64,
		who->session_id, who->user_id, who->username, role_name(who->role), who->extension,
		who->ami_session_id, who->teams, who->team, session->address, session->device,
		session->refresh_key, session->refreshes, session->created_at_ms,
		session->created_at_ms, who->expires_at_ms);
	(void)redis_link_command(
		link, NULL, NULL, "PEXPIREAT session:%s %" PRId64, who->session_id,
		ends_at(session->created_at_ms, session->idle_ms, who->expires_at_ms));
}

void store_create_session(struct store *store, const struct store_session *session,
			  store_done_fn *done, void *context)
{
	const struct principal *who = &session->who;
	struct redis_link *link = store->link;
	struct creation *creation = mem_new(struct creation);
	struct buffer event = {0};

	*creation = (struct creation){store, store_waiter_new(done, context)};
	creation->waiter->store = store;
	strcpy(creation->waiter->extension, who->extension);
	(void)redis_link_command(link, NULL, NULL, "MULTI");
	send_hash(link, session);
	(void)redis_link_command(link, NULL, NULL, "ZADD user:sessions:%s %" PRId64 " %s",
				 who->user_id, who->expires_at_ms, who->session_id);
	(void)redis_link_command(link, NULL, NULL, "PEXPIREAT user:sessions:%s %" PRId64,
				 who->user_id, who->expires_at_ms);
	(void)redis_link_command(link, NULL, NULL,
				 "ZREMRANGEBYSCORE user:sessions:%s -inf %" PRId64, who->user_id,
				 session->created_at_ms);
	(void)redis_link_command(link, NULL, NULL, "ZREVRANGE user:sessions:%s %" PRId64 " -1",
				 who->user_id, session->sessions_max);
	(void)redis_link_command(link, NULL, NULL, "ZADD sessions 0 %s:%s", who->extension,
				 who->session_id);
	store_settle_attempt(store, who->username, session->address, true);
	session_event_created(who, &event);
	store_send_event(store, "events:session", "session:changes", &event);
	buffer_free(&event);
	if (who->extension[0] != '\0' && who->ami_session_id[0] != '\0')
		store_agent_arrives(store, who->extension, who->user_id);
	if (redis_link_command(link, on_created, creation, "EXEC") < 0)
		on_created(NULL, creation);
}

/* ---- the end ---- */

/* A script, so that a session that is ended twice at once is told once. */
static const char revoke_script[] =
	"redis.call('ZREM', KEYS[2], ARGV[1]) redis.call('ZREM', KEYS[3], ARGV[4]) "
	"redis.call('DEL', KEYS[5], KEYS[6]) "
	"if redis.call('DEL', KEYS[1]) == 0 then return 0 end "
	"redis.call('XADD', KEYS[4], 'MINID', '~', ARGV[2], '*', 'e', ARGV[3]) "
	"redis.call('PUBLISH', 'session:changes', ARGV[3]) return 1";

void store_revoke_session(struct store *store, const struct principal *who,
			  enum msg_session_revoked_reason reason, store_done_fn *done,
			  void *context)
{
	struct store_waiter *waiter = store_waiter_new(done, context);
	struct redis_link *link = store->link;
	const char *id = who->session_id;
	struct buffer event = {0};

	waiter->store = store;
	strcpy(waiter->extension, who->extension);
	session_event_revoked(who, reason, &event);
	(void)redis_link_command(link, NULL, NULL, "MULTI");
	(void)redis_link_command(link, NULL, NULL,
				 "EVAL %s 6 session:%s user:sessions:%s sessions events:session "
				 "session:data:%s session:events:%s %s %" PRId64 " %b %s:%s",
				 revoke_script, id, who->user_id, id, id, id,
				 clock_wall_ms() - EVENTS_KEEP_MS, event.data, event.len,
				 who->extension, id);
	if (who->extension[0] != '\0')
		store_agent_leaves(store, who->extension, who->user_id);
	if (redis_link_command(link, store_on_reply, waiter, "EXEC") < 0)
		store_answer(waiter, false);
	buffer_free(&event);
}

/* ---- reading ---- */

enum {
	SESSION_USER_ID,
	SESSION_USERNAME,
	SESSION_ROLE,
	SESSION_EXTENSION,
	SESSION_AMI,
	SESSION_TEAMS,
	SESSION_TEAM,
	SESSION_ADDRESS,
	SESSION_DEVICE,
	SESSION_CREATED,
	SESSION_REFRESHED,
	SESSION_EXPIRES,
	SESSION_REFRESH_KEY,
	SESSION_REFRESHES,
	SESSION_FIELDS
};

#define SESSION_NAMES                                                                              \
	"'userId', 'username', 'role', 'extension', 'amiSessionId', 'teams', 'team', 'address', "  \
	"'device', 'createdAt', 'refreshedAt', 'expiresAt', 'refreshKey', 'refreshes'"

const char store_read_session_lua[] =
	"local function read(id) local s = redis.call('HMGET', 'session:' .. id, " SESSION_NAMES
	") s[#s + 1] = redis.call('PTTL', 'session:' .. id) s[#s + 1] = id return s end ";

bool store_read_session(const redisReply *reply, struct store_session *session_r)
{
	struct principal *who = &session_r->who;
	redisReply *const *value = reply->element;
	char role[33];

	*session_r = (struct store_session){0};
	if (reply->type != REDIS_REPLY_ARRAY || reply->elements != SESSION_FIELDS + 2)
		return false;
	store_copy(who->user_id, sizeof(who->user_id), value[SESSION_USER_ID]);
	store_copy(who->username, sizeof(who->username), value[SESSION_USERNAME]);
	store_copy(role, sizeof(role), value[SESSION_ROLE]);
	store_copy(who->extension, sizeof(who->extension), value[SESSION_EXTENSION]);
	store_copy(who->ami_session_id, sizeof(who->ami_session_id), value[SESSION_AMI]);
	store_copy(who->teams, sizeof(who->teams), value[SESSION_TEAMS]);
	store_copy(who->team, sizeof(who->team), value[SESSION_TEAM]);
	store_copy(session_r->address, sizeof(session_r->address), value[SESSION_ADDRESS]);
	store_copy(session_r->device, sizeof(session_r->device), value[SESSION_DEVICE]);
	store_copy(session_r->refresh_key, sizeof(session_r->refresh_key),
		   value[SESSION_REFRESH_KEY]);
	store_copy(who->session_id, sizeof(who->session_id), value[SESSION_FIELDS + 1]);
	session_r->created_at_ms = store_number(value[SESSION_CREATED]);
	session_r->refreshed_at_ms = store_number(value[SESSION_REFRESHED]);
	who->expires_at_ms = store_number(value[SESSION_EXPIRES]);
	session_r->refreshes = store_number(value[SESSION_REFRESHES]);
	session_r->ttl_ms = store_number(value[SESSION_FIELDS]);
	return who->user_id[0] != '\0' && role_parse(role, &who->role);
}

struct reading {
	store_session_fn *done;
	void *context;
};

static void on_session(const redisReply *reply, void *context)
{
	struct reading *reading = context;
	struct store_session session;

	if (reply == NULL || reply->type != REDIS_REPLY_ARRAY)
		reading->done(false, NULL, reading->context);
	else
		reading->done(true, store_read_session(reply, &session) ? &session : NULL,
			      reading->context);
	free(reading);
}

void store_get_session(struct store *store, const char *session_id, store_session_fn *done,
		       void *context)
{
	struct reading *reading = mem_new(struct reading);

	*reading = (struct reading){done, context};
	if (redis_link_command(store->link, on_session, reading, "EVAL %s%s 1 session:%s %s",
			       store_read_session_lua, "return read(ARGV[1])", session_id,
			       session_id) < 0)
		on_session(NULL, reading);
}

/* ---- refresh ---- */

struct counting {
	store_counted_fn *done;
	void *context;
};

static void on_counted(const redisReply *reply, void *context)
{
	struct counting *counting = context;
	enum store_counted counted = STORE_COUNTED_UNKNOWN;

	if (reply != NULL && reply->type == REDIS_REPLY_INTEGER)
		counted = reply->integer == 1 ? STORE_COUNTED : STORE_COUNTED_BEFORE;
	counting->done(counted, counting->context);
	free(counting);
}

void store_count_refresh(struct store *store, const char *session_id, int64_t count,
			 int64_t idle_ms, int64_t expires_at_ms, store_counted_fn *done,
			 void *context)
{
	static const char script[] =
		"if redis.call('HGET', KEYS[1], 'refreshes') ~= ARGV[1] then return 0 end "
		"redis.call('HINCRBY', KEYS[1], 'refreshes', 1) "
		"redis.call('HSET', KEYS[1], 'refreshedAt', ARGV[2]) "
		"for i = 1, 3 do redis.call('PEXPIREAT', KEYS[i], ARGV[3]) end return 1";
	struct counting *counting = mem_new(struct counting);
	int64_t now_ms = clock_wall_ms();

	*counting = (struct counting){done, context};
	if (redis_link_command(store->link, on_counted, counting,
			       "EVAL %s 3 session:%s session:data:%s session:events:%s %" PRId64
			       " %" PRId64 " %" PRId64,
			       script, session_id, session_id, session_id, count, now_ms,
			       ends_at(now_ms, idle_ms, expires_at_ms)) < 0)
		on_counted(NULL, counting);
}
