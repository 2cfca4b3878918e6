#include "store_agent.h"

#include "store_internal.h"

#include "agent_event.h"
#include "clock.h"
#include "mem.h"
#include "resp.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WISHES_MAX 10000

/* KEYS: agent:<ext>, sessions, agents:sockets, agents:lost, wishes:agent, events:agent. ARGV:
   extension, how, availability, reason, now, wish, event, oldest event kept, longest list of
   wishes, time of a socket. Answers an enum store_change. */
static const char change_script[] =
	"local ext, how, word = ARGV[1], ARGV[2], ARGV[3] "
	"local was = redis.call('HGET', KEYS[1], 'availability') or 'offline' "
	"local function live() "
	"  local list = redis.call('ZRANGE', KEYS[2], '[' .. ext .. ':', '(' .. ext .. ';', "
	"'BYLEX') "
	"  for _, name in ipairs(list) do "
	"    local ami = redis.call('HGET', 'session:' .. string.sub(name, #ext + 2), "
	"'amiSessionId') "
	"    if ami and ami ~= '' then return true end end "
	"  return false end "
	"local seen = tonumber(redis.call('ZSCORE', KEYS[3], ext) or '0') "
	"if how == 'set' and word ~= 'offline' and not live() then return 2 end "
	"if how == 'arrive' and was ~= 'offline' then return 1 end "
	"if how == 'leave' and live() then return 1 end "
	"if how == 'lost' then "
	"  if seen == 0 or seen > tonumber(ARGV[10]) then return 1 end "
	"  redis.call('ZREM', KEYS[3], ext) "
	"  if was == 'offline' then return 1 end "
	"  redis.call('HSET', KEYS[1], 'availabilityBefore', was) redis.call('SADD', KEYS[4], ext) "
	"else "
	"  if how == 'back' and redis.call('HGET', KEYS[1], 'availabilityBefore') ~= word then "
	"return 1 end "
	"  redis.call('HDEL', KEYS[1], 'availabilityBefore') redis.call('SREM', KEYS[4], ext) end "
	"if how == 'leave' and was == 'offline' then return 1 end "
	"redis.call('HSET', KEYS[1], 'availability', word, 'availabilityReason', ARGV[4], "
	"  'availabilityAt', ARGV[5]) "
	"redis.call('XADD', KEYS[5], 'MAXLEN', '~', ARGV[9], '*', 'w', ARGV[6]) "
	"redis.call('XADD', KEYS[6], 'MINID', '~', ARGV[8], '*', 'e', ARGV[7]) "
	"redis.call('PUBLISH', 'agent:status', ARGV[7]) "
	"return 0";

struct change {
	struct store *store;
	char extension[33];
	store_change_fn *done;
	void *context;
};

static void on_change(const redisReply *reply, void *context)
{
	struct change *change = context;
	bool ok = reply != NULL && reply->type == REDIS_REPLY_INTEGER;

	if (ok && reply->integer == STORE_CHANGED)
		store_agent_moved(change->store, change->extension);
	if (change->done != NULL)
		change->done(ok ? (enum store_change)reply->integer : STORE_CHANGE_UNKNOWN,
			     change->context);
	free(change);
}

static struct change *change_new(struct store *store, const char *extension, store_change_fn *done,
				 void *context)
{
	struct change *change = mem_new(struct change);

	*change = (struct change){.store = store, .done = done, .context = context};
	strcpy(change->extension, extension);
	return change;
}

/* change NULL: within a MULTI. */
static void send_change(struct store *store, const struct store_status *status, const char *how,
			int64_t socket_ms, struct change *change)
{
	int64_t now_ms = clock_wall_ms();
	struct buffer wish = {0}, event = {0};

	agent_event_wish(status, now_ms, &wish);
	agent_event_status(status, now_ms, &event);
	if (redis_link_command(
		    store->link, change != NULL ? on_change : NULL, change,
		    "EVAL %s 6 agent:%s sessions agents:sockets agents:lost wishes:agent "
		    "events:agent %s %s %s %s %" PRId64 " %b %b %" PRId64 " %d %" PRId64,
		    change_script, status->extension, status->extension, how,
		    availability_name(status->availability),
		    status->reason != NULL ? status->reason : "", now_ms, wish.data, wish.len,
		    event.data, event.len, now_ms - EVENTS_KEEP_MS, WISHES_MAX, socket_ms) < 0 &&
	    change != NULL)
		on_change(NULL, change);
	buffer_free(&wish);
	buffer_free(&event);
}

void store_agent_set(struct store *store, const struct store_status *status, store_change_fn *done,
		     void *context)
{
	send_change(store, status, "set", 0, change_new(store, status->extension, done, context));
}

void store_agent_arrives(struct store *store, const char *extension, const char *user_id)
{
	struct store_status status = {extension, AVAILABILITY_AVAILABLE, NULL, user_id, NULL};

	send_change(store, &status, "arrive", 0, NULL);
}

void store_agent_leaves(struct store *store, const char *extension, const char *user_id)
{
	struct store_status status = {extension, AVAILABILITY_OFFLINE, NULL, user_id, NULL};

	send_change(store, &status, "leave", 0, NULL);
}

void store_agent_gone(struct store *store, const char *extension, store_change_fn *done,
		      void *context)
{
	struct store_status status = {extension, AVAILABILITY_OFFLINE, "session_expired", "", NULL};

	send_change(store, &status, "leave", 0, change_new(store, status.extension, done, context));
}

void store_agent_lost(struct store *store, const char *extension, int64_t seen_before_ms,
		      store_change_fn *done, void *context)
{
	struct store_status status = {extension, AVAILABILITY_OFFLINE, "no_socket", "", NULL};

	send_change(store, &status, "lost", seen_before_ms,
		    change_new(store, status.extension, done, context));
}

void store_agent_back(struct store *store, const char *extension, enum availability former,
		      store_change_fn *done, void *context)
{
	struct store_status status = {extension, former, NULL, "", NULL};

	send_change(store, &status, "back", 0, change_new(store, status.extension, done, context));
}

void store_agent_forget(struct store *store, const char *extension)
{
	(void)redis_link_command(store->link, NULL, NULL,
				 "HDEL agent:%s availability availabilityReason availabilityAt "
				 "availabilityBefore",
				 extension);
	(void)redis_link_command(store->link, NULL, NULL, "ZREM agents:sockets %s", extension);
	(void)redis_link_command(store->link, NULL, NULL, "SREM agents:lost %s", extension);
}

/* ---- reading ---- */

struct reading {
	store_agents_fn *done;
	void *context;
	size_t count;
	struct store_agent list[STORE_AGENTS_MAX];
};

static void read_agent(const redisReply *reply, struct store_agent *agent)
{
	redisReply *const *value = reply->element;

	store_copy(agent->availability, sizeof(agent->availability), value[0]);
	store_copy(agent->reason, sizeof(agent->reason), value[1]);
	agent->since_ms = store_number(value[2]);
	store_copy(agent->former, sizeof(agent->former), value[3]);
	store_copy(agent->state, sizeof(agent->state), value[4]);
	store_copy(agent->device_state, sizeof(agent->device_state), value[5]);
	store_copy(agent->call_id, sizeof(agent->call_id), value[6]);
	agent->known = agent->availability[0] != '\0';
}

static void on_agents(const redisReply *reply, void *context)
{
	struct reading *reading = context;

	if (reply == NULL || reply->type != REDIS_REPLY_ARRAY ||
	    reply->elements != reading->count) {
		reading->done(false, NULL, 0, reading->context);
	} else {
		for (size_t i = 0; i < reading->count; i++)
			read_agent(reply->element[i], &reading->list[i]);
		reading->done(true, reading->list, reading->count, reading->context);
	}
	free(reading);
}

/* KEYS: agent:<ext>, ... */
static const char read_script[] =
	"local found = {} for i, key in ipairs(KEYS) do found[i] = redis.call('HMGET', key, "
	"'availability', 'availabilityReason', 'availabilityAt', 'availabilityBefore', 'state', "
	"'deviceState', 'callId') end return found";

void store_get_agents(struct store *store, const char *const *extensions, size_t count,
		      store_agents_fn *done, void *context)
{
	struct reading *reading = mem_new(struct reading);
	struct buffer command = {0};
	char text[48];

	*reading = (struct reading){.done = done, .context = context};
	reading->count = count < STORE_AGENTS_MAX ? count : STORE_AGENTS_MAX;
	resp_array(&command, 3 + reading->count);
	resp_text(&command, "EVAL");
	resp_text(&command, read_script);
	snprintf(text, sizeof(text), "%zu", reading->count);
	resp_text(&command, text);
	for (size_t i = 0; i < reading->count; i++) {
		snprintf(reading->list[i].extension, sizeof(reading->list[i].extension), "%s",
			 extensions[i]);
		snprintf(text, sizeof(text), "agent:%s", reading->list[i].extension);
		resp_text(&command, text);
	}
	if (redis_link_raw(store->link, on_agents, reading, command.data, command.len) < 0)
		on_agents(NULL, reading);
	buffer_free(&command);
}

/* ---- the sweep ---- */

struct names {
	store_names_fn *done;
	void *context;
};

static void on_names(const redisReply *reply, void *context)
{
	struct names *waiter = context;
	const char *names[STORE_AGENTS_MAX + 1];
	size_t count = 0;
	bool ok = reply != NULL && reply->type == REDIS_REPLY_ARRAY;

	for (size_t i = 0; ok && i < reply->elements && count <= STORE_AGENTS_MAX; i++)
		if (reply->element[i]->str != NULL)
			names[count++] = reply->element[i]->str;
	waiter->done(ok, names, count, waiter->context);
	free(waiter);
}

static struct names *names_new(store_names_fn *done, void *context)
{
	struct names *waiter = mem_new(struct names);

	*waiter = (struct names){done, context};
	return waiter;
}

void store_silent_agents(struct store *store, int64_t seen_before_ms, store_names_fn *done,
			 void *context)
{
	struct names *waiter = names_new(done, context);

	if (redis_link_command(store->link, on_names, waiter,
			       "ZRANGEBYSCORE agents:sockets -inf %" PRId64 " LIMIT 0 %d",
			       seen_before_ms, STORE_AGENTS_MAX) < 0)
		on_names(NULL, waiter);
}

void store_returned_agents(struct store *store, int64_t seen_after_ms, store_names_fn *done,
			   void *context)
{
	static const char script[] =
		"local found = {} for _, ext in ipairs(redis.call('SMEMBERS', KEYS[1])) do "
		"if tonumber(redis.call('ZSCORE', KEYS[2], ext) or '0') > tonumber(ARGV[1]) "
		"and #found < tonumber(ARGV[2]) then found[#found + 1] = ext end end return found";
	struct names *waiter = names_new(done, context);

	if (redis_link_command(store->link, on_names, waiter,
			       "EVAL %s 2 agents:lost agents:sockets %" PRId64 " %d", script,
			       seen_after_ms, STORE_AGENTS_MAX) < 0)
		on_names(NULL, waiter);
}

void store_sweep_sessions(struct store *store, const char *cursor, store_names_fn *done,
			  void *context)
{
	static const char script[] =
		"local from = ARGV[1] == '' and '-' or '(' .. ARGV[1] "
		"local list = redis.call('ZRANGE', KEYS[1], from, '+', 'BYLEX', 'LIMIT', 0, "
		"ARGV[2]) "
		"local found, seen = {}, {} "
		"for _, name in ipairs(list) do "
		"  local ext, id = string.match(name, '^([^:]*):(.*)$') "
		"  if redis.call('EXISTS', 'session:' .. id) == 0 then "
		"    redis.call('ZREM', KEYS[1], name) "
		"    if ext ~= '' and not seen[ext] then seen[ext] = 1 found[#found + 1] = ext end "
		"  end end "
		"found[#found + 1] = #list < tonumber(ARGV[2]) and '' or list[#list] "
		"return found";
	struct names *waiter = names_new(done, context);

	if (redis_link_command(store->link, on_names, waiter, "EVAL %s 1 sessions %s %d", script,
			       cursor, STORE_AGENTS_MAX) < 0)
		on_names(NULL, waiter);
}
