/* /api/admin/call-stats: how it stands now. Live calls by state, agents by state, queues, and the
   calls of today so far. */
#include "clock.h"
#include "live_list.h"
#include "live_view.h"
#include "log.h"
#include "mem.h"
#include "numbers.h"
#include "reach.h"
#include "routes_numbers.h"
#include "settings.h"
#include "store.h"

#include <stdlib.h>
#include <string.h>

#define CALL_STATES  8
#define AGENT_STATES 6

static const char *const call_states[CALL_STATES] = {"originating", "dialing", "ringing",
						     "established", "held",    "transferring",
						     "parked",      "queued"};
static const char *const directions[] = {"internal", "inbound", "outbound"};
static const char *const agent_states[AGENT_STATES] = {"offline", "available", "ringing",
						       "busy",    "wrap_up",   "paused"};

struct now {
	struct service *service;
	struct http_request *request;
	size_t waiting;
	bool failed;
	int64_t calls[CALL_STATES], by_direction[3], agents[AGENT_STATES];
	int64_t queues, callers, oldest_at;
	struct buffer today; /* JSON; empty: without MariaDB */
	struct buffer seen;
	enum numbers_by today_by; /* a manager's teams, or all calls */
};

static void count_word(int64_t *counts, const char *const *words, size_t count,
		       const redisReply *word)
{
	for (size_t i = 0; word->type == REDIS_REPLY_STRING && i < count; i++)
		counts[i] += strcmp(words[i], word->str) == 0;
}

static void write_counts(struct json_writer *writer, const char *key, const int64_t *counts,
			 const char *const *words, size_t count)
{
	int64_t total = 0;

	json_key(writer, key);
	json_begin_object(writer);
	for (size_t i = 0; i < count; i++) {
		json_field_int(writer, words[i], counts[i]);
		total += counts[i];
	}
	json_field_int(writer, "total", total);
	json_end_object(writer);
}

static void write_queues(const struct now *now, struct json_writer *writer)
{
	int64_t at = clock_wall_ms();

	json_key(writer, "queues");
	json_begin_object(writer);
	json_field_int(writer, "total", now->queues);
	json_field_int(writer, "waiting", now->callers);
	json_field_int(writer, "longestWaitMs",
		       now->oldest_at > 0 && at > now->oldest_at ? at - now->oldest_at : 0);
	json_end_object(writer);
}

static void reply(struct now *now)
{
	struct buffer body = {0};
	struct json_writer writer = json_writer_init(&body);

	json_begin_object(&writer);
	write_counts(&writer, "calls", now->calls, call_states, CALL_STATES);
	write_counts(&writer, "directions", now->by_direction, directions, 3);
	write_counts(&writer, "agents", now->agents, agent_states, AGENT_STATES);
	write_queues(now, &writer);
	if (now->today.len > 0)
		json_field_raw(&writer, "today", buffer_str(&now->today));
	live_write_as_of(now->service, now->service->pbxs[0], &writer);
	json_end_object(&writer);
	http_reply_json(now->request, 200, &body);
}

static void release(struct now *now)
{
	if (--now->waiting > 0)
		return;
	if (now->failed)
		http_reply_error(now->request, 503, "unavailable", "Redis is away");
	else
		reply(now);
	buffer_free(&now->today);
	buffer_free(&now->seen);
	free(now);
}

static bool came(struct now *now, const redisReply *answer)
{
	if (answer != NULL && answer->type == REDIS_REPLY_ARRAY)
		return true;
	now->failed = true;
	return false;
}

/* sent: what store_...() answered. */
static void asked(struct now *now, int sent)
{
	if (sent == 0)
		now->waiting++;
	else
		now->failed = true;
}

/* A call, by its extensions. */
static bool is_seen(const struct now *now, const redisReply *extensions)
{
	return reach_sees_one_of(http_principal(now->request), PERMISSION_VIEW_ADMIN,
				 extensions->type == REDIS_REPLY_STRING ? extensions->str : "");
}

static void on_call(const redisReply *answer, void *context)
{
	struct now *now = context;

	if (came(now, answer) && answer->elements == 3 && is_seen(now, answer->element[2])) {
		count_word(now->calls, call_states, CALL_STATES, answer->element[0]);
		count_word(now->by_direction, directions, 3, answer->element[1]);
	}
	release(now);
}

static void on_calls(const redisReply *answer, void *context)
{
	struct now *now = context;

	if (came(now, answer))
		for (size_t i = 0; i < answer->elements && !now->failed; i++)
			asked(now, store_call_state(now->service->link, answer->element[i]->str,
						    on_call, now));
	release(now);
}

static void on_agent(const redisReply *answer, void *context)
{
	struct now *now = context;

	if (came(now, answer) && answer->elements == 1)
		count_word(now->agents, agent_states, AGENT_STATES, answer->element[0]);
	release(now);
}

static void on_agents(const redisReply *answer, void *context)
{
	struct now *now = context;

	if (came(now, answer))
		for (size_t i = 0; i < answer->elements && !now->failed; i++)
			if (reach_sees(http_principal(now->request), PERMISSION_VIEW_ADMIN,
				       answer->element[i]->str))
				asked(now,
				      store_agent_state(now->service->link, answer->element[i]->str,
							on_agent, now));
	release(now);
}

static void on_queue(const redisReply *answer, void *context)
{
	struct now *now = context;

	if (came(now, answer) && answer->elements == 2 &&
	    answer->element[0]->type == REDIS_REPLY_STRING) {
		int64_t since_at = answer->element[1]->type == REDIS_REPLY_STRING
					   ? strtoll(answer->element[1]->str, NULL, 10)
					   : 0;

		now->queues++;
		now->callers += strtoll(answer->element[0]->str, NULL, 10);
		if (since_at > 0 && (now->oldest_at == 0 || since_at < now->oldest_at))
			now->oldest_at = since_at;
	}
	release(now);
}

static void on_queues(const redisReply *answer, void *context)
{
	struct now *now = context;

	if (came(now, answer))
		for (size_t i = 0; i < answer->elements && !now->failed; i++)
			asked(now, store_queue_waiting(now->service->link, answer->element[i]->str,
						       on_queue, now));
	release(now);
}

static void on_today(const struct sql_result *result, void *context)
{
	struct now *now = context;
	struct json_writer writer = json_writer_init(&now->today);

	if (result->status == SQL_OK) {
		json_begin_object(&writer);
		if (result->rows > 0)
			numbers_write(now->today_by, result, 0, &writer);
		else if (now->today_by == NUMBERS_BY_TRUNK)
			json_field_int(&writer, "calls", 0);
		json_end_object(&writer);
	}
	release(now);
}

static void ask_today(struct now *now)
{
	int64_t at = clock_wall_ms();
	const char *zone = settings.numbers.zone;
	const struct principal *who = http_principal(now->request);
	bool all = reach_is_all(who, PERMISSION_VIEW_ADMIN);
	struct numbers_question question = {
		.by = all ? NUMBERS_BY_TRUNK : NUMBERS_BY_AGENT,
		.name = "",
		.from = live_day_at(at),
		.to = zone_next(zone, ZONE_DAY, at),
		.step = ZONE_DAY,
		.zone = zone,
		.days_step = zones_step(settings_zones(), zone),
		.rows_max = 1,
	};

	if (!service_has_history(now->service))
		return;
	now->waiting++;
	now->today_by = question.by;
	if (!all) {
		reach_write(who, PERMISSION_VIEW_ADMIN, &now->seen);
		question.seen = buffer_str(&now->seen);
		question.together = true;
	}
	numbers_ask(now->service->sql, &question, "[]", on_today, now);
}

void handle_call_stats(struct http_request *request, void *context)
{
	struct service *service = context;
	struct now *now = mem_new(struct now);

	now->service = service;
	now->request = request;
	now->waiting = 1; /* until all is asked for */
	for (size_t i = 0; i < service->pbx_count; i++) {
		const char *pbx = service->pbxs[i];

		asked(now, store_live_calls(service->link, pbx, on_calls, now));
		asked(now, store_agent_names(service->link, pbx, on_agents, now));
		asked(now, store_queue_names(service->link, pbx, on_queues, now));
	}
	ask_today(now);
	release(now);
}
