#include "store.h"

#include "buffer.h"
#include "clock.h"
#include "crm_event.h"
#include "json.h"
#include "mem.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define EVENTS_KEEP_MS 86400000
#define RATE_SPAN_MS   60000

struct waiter {
	store_done_fn *done;
	store_rate_fn *rate;
	store_calls_fn *calls;
	store_due_fn *due;
	cJSON *call_ids; /* owned */
	void *context;
};

static struct waiter *waiter_new(void *context)
{
	struct waiter *waiter = mem_new(struct waiter);

	waiter->context = context;
	return waiter;
}

/* A reply of EXEC is good when every command in it is. */
static bool is_good(const redisReply *reply)
{
	if (reply == NULL || reply->type != REDIS_REPLY_ARRAY)
		return false;
	for (size_t i = 0; i < reply->elements; i++)
		if (reply->element[i]->type == REDIS_REPLY_ERROR)
			return false;
	return true;
}

static void on_exec(const redisReply *reply, void *_waiter)
{
	struct waiter *waiter = _waiter;

	if (waiter->done != NULL)
		waiter->done(is_good(reply), waiter->context);
	free(waiter);
}

static void exec(struct redis_link *link, store_done_fn *done, void *context)
{
	struct waiter *waiter = waiter_new(context);

	waiter->done = done;
	if (redis_link_command(link, on_exec, waiter, "EXEC") < 0)
		on_exec(NULL, waiter);
}

/* ---- events ---- */

static void put_event(struct redis_link *link, const cJSON *event)
{
	struct buffer text = {0};

	crm_event_write(event, &text);
	(void)redis_link_command(link, NULL, NULL, "XADD events:crm MINID ~ %" PRId64 " * e %b",
				 clock_wall_ms() - EVENTS_KEEP_MS, text.data, text.len);
	(void)redis_link_command(link, NULL, NULL, "PUBLISH crm:events %b", text.data, text.len);
	buffer_free(&text);
}

static const char *const schedules[] = {
	[STORE_REMINDERS] = "crm:reminders", [STORE_OUTBOX] = "crm:outbox",
	[STORE_JOBS] = "crm:jobs",           [STORE_MERGES] = "crm:merges",
	[STORE_MOVES] = "crm:moves",
};

static void put_due(struct redis_link *link, enum store_schedule schedule, const char *id,
		    int64_t at_ms)
{
	if (at_ms > 0)
		(void)redis_link_command(link, NULL, NULL, "ZADD %s %" PRId64 " %s",
					 schedules[schedule], at_ms, id);
	else
		(void)redis_link_command(link, NULL, NULL, "ZREM %s %s", schedules[schedule], id);
}

void store_commit(struct redis_link *link, const cJSON *events, const cJSON *acks,
		  const cJSON *reminders, store_done_fn *done, void *context)
{
	const cJSON *item;

	(void)redis_link_command(link, NULL, NULL, "MULTI");
	cJSON_ArrayForEach(item, events)
	{
		put_event(link, item);
	}
	cJSON_ArrayForEach(item, acks)
	{
		(void)redis_link_command(link, NULL, NULL,
					 "XACK " STORE_CALLS_STREAM " " STORE_CALLS_GROUP " %s",
					 item->valuestring);
	}
	cJSON_ArrayForEach(item, reminders)
	{
		put_due(link, STORE_REMINDERS, item->string, (int64_t)item->valuedouble);
	}
	exec(link, done, context);
}

/* ---- what was listed ---- */

static void on_rate(const redisReply *reply, void *_waiter)
{
	struct waiter *waiter = _waiter;
	int64_t listed = -1;

	if (reply != NULL && is_good(reply) && reply->elements == 2)
		listed = reply->element[0]->integer;
	waiter->rate(listed, waiter->context);
	free(waiter);
}

void store_count_listed(struct redis_link *link, const char *user_id, int64_t count,
			store_rate_fn *fn, void *context)
{
	struct waiter *waiter = waiter_new(context);
	int64_t span = clock_wall_ms() / RATE_SPAN_MS;

	waiter->rate = fn;
	(void)redis_link_command(link, NULL, NULL, "MULTI");
	(void)redis_link_command(link, NULL, NULL, "INCRBY crm:rate:%s:%" PRId64 " %" PRId64,
				 user_id, span, count);
	(void)redis_link_command(link, NULL, NULL, "PEXPIRE crm:rate:%s:%" PRId64 " %d", user_id,
				 span, 2 * RATE_SPAN_MS);
	if (redis_link_command(link, on_rate, waiter, "EXEC") < 0)
		on_rate(NULL, waiter);
}

/* ---- calls that have ended ---- */

static const char *const call_fields[] = {"direction", "from",       "to",         "result",
					  "startedAt", "answeredAt", "endedAt",    "durationMs",
					  "talkMs",    "holdMs",     "recordings", "transfers",
					  "queue",     "hangup",     "extensions", "mergedInto"};

#define CALL_FIELDS (sizeof(call_fields) / sizeof(call_fields[0]))

static cJSON *read_call(const redisReply *reply)
{
	cJSON *call = cJSON_CreateObject();

	if (reply->type != REDIS_REPLY_ARRAY || reply->elements != CALL_FIELDS)
		return call;
	for (size_t i = 0; i < CALL_FIELDS; i++)
		if (reply->element[i]->type == REDIS_REPLY_STRING)
			cJSON_AddStringToObject(call, call_fields[i], reply->element[i]->str);
	return call;
}

static void on_calls(const redisReply *reply, void *_waiter)
{
	struct waiter *waiter = _waiter;
	cJSON *calls = NULL;
	const cJSON *id = waiter->call_ids->child;

	if (is_good(reply)) {
		calls = cJSON_CreateObject();
		for (size_t i = 0; i < reply->elements && id != NULL; i++, id = id->next)
			cJSON_AddItemToObject(calls, id->valuestring, read_call(reply->element[i]));
	}
	waiter->calls(calls, waiter->context);
	cJSON_Delete(calls);
	cJSON_Delete(waiter->call_ids);
	free(waiter);
}

static void get_call(struct redis_link *link, const char *call_id)
{
	const char *argv[CALL_FIELDS + 2] = {"HMGET"};
	char *key = mem_printf("call:%s", call_id);

	argv[1] = key;
	memcpy(argv + 2, call_fields, sizeof(call_fields));
	(void)redis_link_argv(link, NULL, NULL, (int)CALL_FIELDS + 2, argv, NULL);
	free(key);
}

void store_get_calls(struct redis_link *link, const cJSON *call_ids, store_calls_fn *fn,
		     void *context)
{
	struct waiter *waiter = waiter_new(context);
	const cJSON *id;

	waiter->calls = fn;
	waiter->call_ids = cJSON_Duplicate(call_ids, true);
	(void)redis_link_command(link, NULL, NULL, "MULTI");
	cJSON_ArrayForEach(id, call_ids)
	{
		get_call(link, id->valuestring);
	}
	if (redis_link_command(link, on_calls, waiter, "EXEC") < 0)
		on_calls(NULL, waiter);
}

/* ---- reminders ---- */

static void on_due(const redisReply *reply, void *_waiter)
{
	struct waiter *waiter = _waiter;
	cJSON *ids = NULL;

	if (reply != NULL && reply->type == REDIS_REPLY_ARRAY) {
		ids = cJSON_CreateArray();
		for (size_t i = 0; i < reply->elements; i++)
			cJSON_AddItemToArray(ids, cJSON_CreateString(reply->element[i]->str));
	}
	waiter->due(ids, waiter->context);
	cJSON_Delete(ids);
	free(waiter);
}

void store_get_due(struct redis_link *link, enum store_schedule schedule, int64_t now_ms, int max,
		   store_due_fn *fn, void *context)
{
	struct waiter *waiter = waiter_new(context);

	waiter->due = fn;
	if (redis_link_command(link, on_due, waiter, "ZRANGEBYSCORE %s -inf %" PRId64 " LIMIT 0 %d",
			       schedules[schedule], now_ms, max) < 0)
		on_due(NULL, waiter);
}

void store_put_due(struct redis_link *link, enum store_schedule schedule, const char *id,
		   int64_t at_ms, store_done_fn *done, void *context)
{
	(void)redis_link_command(link, NULL, NULL, "MULTI");
	put_due(link, schedule, id, at_ms);
	exec(link, done, context);
}

void store_add_due(struct redis_link *link, enum store_schedule schedule, const char *id,
		   int64_t at_ms)
{
	(void)redis_link_command(link, NULL, NULL, "ZADD %s NX %" PRId64 " %s", schedules[schedule],
				 at_ms, id);
}
