/* /api/admin/historical-stats, and an agent's own ledger. */
#include "numbers.h"

#include "clock.h"
#include "live_list.h"
#include "live_view.h"
#include "log.h"
#include "mem.h"
#include "reach.h"
#include "routes_numbers.h"
#include "settings.h"
#include "store.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define INTERVALS_MAX 3000
#define ROWS_MAX      5000
#define SPAN_MAX_MS   ((int64_t)10 * 366 * 86400000)

static const struct {
	const char *name;
	enum zone_step step;
} steps[] = {{"15min", ZONE_QUARTER}, {"hour", ZONE_HOUR},   {"day", ZONE_DAY},
	     {"week", ZONE_WEEK},     {"month", ZONE_MONTH}, {NULL, ZONE_DAY}};

static const struct {
	const char *name;
	enum numbers_by by;
} groups[] = {{"queue", NUMBERS_BY_QUEUE},
	      {"agent", NUMBERS_BY_AGENT},
	      {"trunk", NUMBERS_BY_TRUNK},
	      {"none", NUMBERS_BY_TRUNK},
	      {NULL, NUMBERS_BY_TRUNK}};

/* ---- the question ---- */

struct stats {
	struct http_request *request;
	struct numbers_question question;
	char name[81], zone[ZONE_NAME_MAX];
	const char *interval, *group; /* static */
	struct buffer intervals, seen;
};

static bool bad(struct http_request *request, const char *what)
{
	http_reply_error(request, 400, "bad_request", "%s", what);
	return false;
}

static bool take_step(struct stats *stats, const char *text)
{
	text = text != NULL ? text : "day";
	for (size_t i = 0; steps[i].name != NULL; i++)
		if (strcmp(steps[i].name, text) == 0) {
			stats->interval = steps[i].name;
			stats->question.step = steps[i].step;
			return true;
		}
	return bad(stats->request, "interval must be 15min, hour, day, week or month");
}

static bool take_group(struct stats *stats, const char *text)
{
	text = text != NULL ? text : "none";
	for (size_t i = 0; groups[i].name != NULL; i++)
		if (strcmp(groups[i].name, text) == 0) {
			stats->group = groups[i].name;
			stats->question.by = groups[i].by;
			if (strcmp(text, "none") == 0)
				stats->question.name = "";
			return true;
		}
	return bad(stats->request, "groupBy must be queue, agent, trunk or none");
}

static bool take_name(struct stats *stats, const char *text)
{
	if (text == NULL)
		return true;
	if (text[0] == '\0' || strlen(text) >= sizeof(stats->name) ||
	    strcmp(stats->group, "none") == 0)
		return bad(stats->request, "name is that of a queue, agent or trunk to group by");
	snprintf(stats->name, sizeof(stats->name), "%s", text);
	stats->question.name = stats->name;
	return true;
}

static bool take_zone(struct stats *stats, const char *text)
{
	const char *zone = text != NULL ? text : settings.numbers.zone;

	if (!zone_is_known(zone))
		return bad(stats->request, "there is no such timeZone");
	snprintf(stats->zone, sizeof(stats->zone), "%s", zone);
	stats->question.zone = stats->zone;
	stats->question.days_step = zones_step(settings_zones(), stats->zone);
	return true;
}

/* One of the bounds at which waits are counted. */
static bool take_bound(struct stats *stats, const char *text, const char *fallback,
		       const char *const *known, int64_t *out)
{
	text = text != NULL ? text : fallback;
	for (; *known != NULL; known++)
		if (strcmp(*known, text) == 0) {
			*out = strtoll(text, NULL, 10);
			return true;
		}
	return bad(stats->request, "serviceLevelS must be one of 5 10 15 20 30 45 60 90 120, "
				   "shortAbandonS one of 3 5 10 15 20 30");
}

static bool take_bounds(struct stats *stats)
{
	static const char *const levels[] = {"5",  "10", "15", "20",  "30",
					     "45", "60", "90", "120", NULL};
	static const char *const shorts[] = {"3", "5", "10", "15", "20", "30", NULL};

	return take_bound(stats, http_query(stats->request, "serviceLevelS"),
			  settings.numbers.service_level_s, levels,
			  &stats->question.service_level_s) &&
	       take_bound(stats, http_query(stats->request, "shortAbandonS"),
			  settings.numbers.short_abandon_s, shorts,
			  &stats->question.short_abandon_s);
}

static bool take_time(struct http_request *request, const char *name, int64_t *out)
{
	const char *text = http_query(request, name);
	size_t digits = text != NULL ? strspn(text, "0123456789") : 0;

	if (text == NULL)
		return true;
	if (digits == 0 || digits > 14 || text[digits] != '\0')
		return bad(request, "from and to must be Unix ms");
	*out = strtoll(text, NULL, 10);
	return true;
}

/* Whole intervals: the first begins at or before from, the last ends at or after to. Without any:
   today. */
static bool take_span(struct stats *stats)
{
	struct numbers_question *question = &stats->question;
	int64_t now = clock_wall_ms(), from = zone_begin(stats->zone, ZONE_DAY, now), to = now;

	if (!take_time(stats->request, "from", &from) || !take_time(stats->request, "to", &to))
		return false;
	if (to < from || to - from > SPAN_MAX_MS)
		return bad(stats->request, "from must be before to, at most ten years");
	question->from = zone_begin(stats->zone, question->step, from);
	question->to = to > question->from ? zone_next(stats->zone, question->step, to - 1)
					   : zone_next(stats->zone, question->step, question->from);
	if (numbers_intervals(question, INTERVALS_MAX, &stats->intervals) <= INTERVALS_MAX)
		return true;
	http_reply_error(stats->request, 400, "too_many_intervals",
			 "at most %d intervals: ask for a shorter time or longer intervals",
			 INTERVALS_MAX);
	return false;
}

/* Of agents, a manager's teams; all calls become what these did together. Trunks have no teams, and
   queues are everyone's. */
static bool take_reach(struct stats *stats)
{
	struct numbers_question *question = &stats->question;
	const struct principal *who = http_principal(stats->request);
	bool none = strcmp(stats->group, "none") == 0;

	if (reach_is_all(who, PERMISSION_VIEW_ADMIN) || question->by == NUMBERS_BY_QUEUE)
		return true;
	if ((question->by == NUMBERS_BY_TRUNK && !none) ||
	    (question->by == NUMBERS_BY_AGENT && question->name != NULL &&
	     !reach_sees(who, PERMISSION_VIEW_ADMIN, question->name))) {
		http_reply_error(stats->request, 403, "not_your_teams",
				 "you see the numbers of your teams, and of queues");
		return false;
	}
	if (question->by == NUMBERS_BY_AGENT && question->name != NULL)
		return true;
	reach_write(who, PERMISSION_VIEW_ADMIN, &stats->seen);
	question->by = NUMBERS_BY_AGENT;
	question->seen = buffer_str(&stats->seen);
	question->together = none;
	return true;
}

static void stats_free(struct stats *stats)
{
	buffer_free(&stats->intervals);
	buffer_free(&stats->seen);
	free(stats);
}

/* ---- the answer ---- */

static void write_head(const struct stats *stats, struct json_writer *writer)
{
	const struct numbers_question *question = &stats->question;

	json_field_int(writer, "from", question->from);
	json_field_int(writer, "to", question->to);
	json_field_str(writer, "interval", stats->interval);
	json_field_str(writer, "timeZone", stats->zone);
	json_field_str(writer, "groupBy", stats->group);
	if (question->by == NUMBERS_BY_QUEUE) {
		json_field_int(writer, "serviceLevelS", question->service_level_s);
		json_field_int(writer, "shortAbandonS", question->short_abandon_s);
	}
}

static void write_rows(const struct stats *stats, const struct sql_result *result,
		       struct json_writer *writer)
{
	json_key(writer, "rows");
	json_begin_array(writer);
	for (size_t i = 0; i < result->rows; i++) {
		json_begin_object(writer);
		json_field_int(writer, "at", sql_cell(result, i, 0)->number);
		if (strcmp(stats->group, "none") != 0)
			json_field_str(writer, "name", sql_cell(result, i, 1)->text);
		numbers_write(stats->question.by, result, i, writer);
		json_end_object(writer);
	}
	json_end_array(writer);
}

static void on_rows(const struct sql_result *result, void *context)
{
	struct stats *stats = context;
	struct buffer body = {0};
	struct json_writer writer = json_writer_init(&body);

	if (result->status != SQL_OK) {
		if (result->status != SQL_UNAVAILABLE)
			log_error("statistics failed", log_str("reason", result->error));
		http_reply_error(stats->request, 503, "unavailable",
				 "The history is not available");
	} else if (result->rows > ROWS_MAX) {
		http_reply_error(stats->request, 400, "too_many_rows",
				 "more than %d rows: ask for less", ROWS_MAX);
	} else {
		json_begin_object(&writer);
		write_head(stats, &writer);
		write_rows(stats, result, &writer);
		json_end_object(&writer);
		http_reply_json(stats->request, 200, &body);
	}
	stats_free(stats);
}

static bool read_stats(struct stats *stats)
{
	struct http_request *request = stats->request;

	return take_step(stats, http_query(request, "interval")) &&
	       take_group(stats, http_query(request, "groupBy")) &&
	       take_name(stats, http_query(request, "name")) &&
	       take_zone(stats, http_query(request, "timeZone")) && take_bounds(stats) &&
	       take_reach(stats) && take_span(stats);
}

void handle_historical_stats(struct http_request *request, void *context)
{
	struct service *service = context;
	struct stats *stats = mem_new(struct stats);

	stats->request = request;
	stats->question.rows_max = ROWS_MAX + 1;
	if (!read_stats(stats)) {
		stats_free(stats);
		return;
	}
	if (!service_has_history(service)) {
		http_reply_error(request, 503, "unavailable", "The history is not available");
		stats_free(stats);
		return;
	}
	numbers_ask(service->sql, &stats->question, buffer_str(&stats->intervals), on_rows, stats);
}

/* ---- an agent's ledger ---- */

static const char sql_time[] =
	"SELECT state, reason, CAST(SUM(LEAST(ended_at, ?) - GREATEST(started_at, ?)) AS SIGNED), "
	"COUNT(*) FROM agent_time WHERE extension = ? AND started_at < ? AND ended_at > ? GROUP BY "
	"state, reason ORDER BY state, reason";

struct ledger {
	struct service *service;
	struct http_request *request;
	char extension[33];
	int64_t from, to;
	char state[16], reason[81]; /* the span that goes on */
	int64_t since_at;           /* 0: none */
};

/* The one that goes on, where it lies in the time that is asked for. */
static int64_t open_ms(const struct ledger *ledger)
{
	int64_t now = clock_wall_ms();
	int64_t from = ledger->since_at > ledger->from ? ledger->since_at : ledger->from;
	int64_t to = now < ledger->to ? now : ledger->to;

	return ledger->since_at > 0 && to > from ? to - from : 0;
}

static void write_state(struct json_writer *writer, const char *state, const char *reason,
			int64_t ms, int64_t spans)
{
	json_begin_object(writer);
	json_field_str(writer, "state", state);
	if (reason[0] != '\0')
		json_field_str(writer, "reason", reason);
	json_field_int(writer, "ms", ms);
	json_field_int(writer, "spans", spans);
	json_end_object(writer);
}

static void write_states(const struct ledger *ledger, const struct sql_result *result,
			 struct json_writer *writer)
{
	int64_t open = open_ms(ledger);

	json_begin_array(writer);
	for (size_t i = 0; i < result->rows; i++) {
		const char *state = sql_cell(result, i, 0)->text;
		const char *reason = sql_cell(result, i, 1)->text;
		bool same = open > 0 && strcmp(state, ledger->state) == 0 &&
			    strcmp(reason, ledger->reason) == 0;

		write_state(writer, state, reason,
			    sql_cell(result, i, 2)->number + (same ? open : 0),
			    sql_cell(result, i, 3)->number + same);
		if (same)
			open = 0;
	}
	if (open > 0)
		write_state(writer, ledger->state, ledger->reason, open, 1);
	json_end_array(writer);
}

static void on_time(const struct sql_result *result, void *context)
{
	struct ledger *ledger = context;
	struct buffer body = {0};
	struct json_writer writer = json_writer_init(&body);

	if (result->status != SQL_OK) {
		http_reply_error(ledger->request, 503, "unavailable",
				 "The history is not available");
	} else {
		json_begin_object(&writer);
		json_field_str(&writer, "extension", ledger->extension);
		json_field_int(&writer, "from", ledger->from);
		json_field_int(&writer, "to", ledger->to);
		json_key(&writer, "states");
		write_states(ledger, result, &writer);
		json_end_object(&writer);
		http_reply_json(ledger->request, 200, &body);
	}
	free(ledger);
}

static void on_agent(const redisReply *reply, void *context)
{
	struct ledger *ledger = context;
	const struct sql_value values[] = {sql_int(ledger->to), sql_int(ledger->from),
					   sql_text(ledger->extension), sql_int(ledger->to),
					   sql_int(ledger->from)};

	if (reply == NULL || reply->type != REDIS_REPLY_ARRAY) {
		http_reply_error(ledger->request, 503, "unavailable", "Redis is away");
		free(ledger);
		return;
	}
	snprintf(ledger->state, sizeof(ledger->state), "%s", live_field(reply, "state"));
	snprintf(ledger->reason, sizeof(ledger->reason), "%s", live_field(reply, "stateReason"));
	ledger->since_at = strtoll(live_field(reply, "sinceAt"), NULL, 10);
	sql_query(ledger->service->sql, sql_time, values, 5, on_time, ledger);
}

void handle_agent_time(struct http_request *request, void *context)
{
	struct service *service = context;
	int64_t now = clock_wall_ms(), from = live_day_at(now), to = now;
	struct ledger *ledger;

	if (!take_time(request, "from", &from) || !take_time(request, "to", &to))
		return;
	if (to < from) {
		(void)bad(request, "from must be before to");
		return;
	}
	if (!service_has_history(service)) {
		http_reply_error(request, 503, "unavailable", "The history is not available");
		return;
	}
	ledger = mem_new(struct ledger);
	ledger->service = service;
	ledger->request = request;
	ledger->from = from;
	ledger->to = to;
	snprintf(ledger->extension, sizeof(ledger->extension), "%s",
		 http_param(request, "extension"));
	if (store_agent_get(service->link, ledger->extension, on_agent, ledger) == 0)
		return;
	http_reply_error(request, 503, "unavailable", "Redis is away");
	free(ledger);
}
