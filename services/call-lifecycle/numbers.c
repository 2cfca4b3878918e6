#include "numbers.h"

#include "zone.h"

#include <string.h>

/* docs/metrics.md says what the columns mean, and what is made of them. */
#define QUEUE_SUMS                                                                                 \
	"CAST(SUM(s.offered) AS SIGNED), CAST(SUM(s.answered) AS SIGNED), "                        \
	"CAST(SUM(s.abandoned) AS SIGNED), CAST(SUM(s.timed_out) AS SIGNED), "                     \
	"CAST(SUM(CASE ? WHEN 5 THEN s.answered_5 WHEN 10 THEN s.answered_10 WHEN 15 THEN "        \
	"s.answered_15 WHEN 20 THEN s.answered_20 WHEN 30 THEN s.answered_30 WHEN 45 THEN "        \
	"s.answered_45 WHEN 60 THEN s.answered_60 WHEN 90 THEN s.answered_90 WHEN 120 "            \
	"THEN s.answered_120 END) AS SIGNED), CAST(SUM(CASE ? WHEN 3 THEN s.abandoned_3 "          \
	"WHEN 5 THEN s.abandoned_5 WHEN 10 THEN s.abandoned_10 WHEN 15 THEN "                      \
	"s.abandoned_15 WHEN 20 THEN s.abandoned_20 WHEN 30 THEN s.abandoned_30 END) AS "          \
	"SIGNED), CAST(SUM(s.wait_ms) AS SIGNED), CAST(SUM(s.abandon_wait_ms) AS SIGNED), "        \
	"MAX(s.wait_max_ms), CAST(SUM(s.connected) AS SIGNED), CAST(SUM(s.talk_ms) AS "            \
	"SIGNED), CAST(SUM(s.hold_ms) AS SIGNED), CAST(SUM(s.wrap_up_ms) AS SIGNED)"
#define AGENT_SUMS                                                                                 \
	"CAST(SUM(s.offered) AS SIGNED), CAST(SUM(s.answered) AS SIGNED), "                        \
	"CAST(SUM(s.outgoing) AS SIGNED), CAST(SUM(s.outgoing_answered) AS SIGNED), "              \
	"CAST(SUM(s.ring_ms) AS SIGNED), CAST(SUM(s.talk_ms) AS SIGNED), "                         \
	"CAST(SUM(s.hold_ms) AS SIGNED), CAST(SUM(s.available_ms) AS SIGNED), "                    \
	"CAST(SUM(s.ringing_ms) AS SIGNED), CAST(SUM(s.busy_ms) AS SIGNED), "                      \
	"CAST(SUM(s.wrap_up_ms) AS SIGNED), CAST(SUM(s.paused_ms) AS SIGNED)"
#define TRUNK_SUMS                                                                                 \
	"CAST(SUM(s.calls) AS SIGNED), CAST(SUM(s.inbound) AS SIGNED), "                           \
	"CAST(SUM(s.outbound) AS SIGNED), CAST(SUM(s.answered) AS SIGNED), "                       \
	"CAST(SUM(s.abandoned) AS SIGNED), CAST(SUM(s.failed) AS SIGNED), "                        \
	"CAST(SUM(s.answer_wait_ms) AS SIGNED), CAST(SUM(s.talk_ms) AS SIGNED), "                  \
	"CAST(SUM(s.hold_ms) AS SIGNED), CAST(SUM(s.duration_ms) AS SIGNED)"

static const char *const queue_names[] = {"offered",        "answered",
					  "abandoned",      "timedOut",
					  "inServiceLevel", "shortAbandoned",
					  "waitMs",         "abandonWaitMs",
					  "longestWaitMs",  "connected",
					  "talkMs",         "holdMs",
					  "wrapUpMs",       NULL};
static const char *const agent_names[] = {
	"offered",     "answered",  "outgoing", "outgoingAnswered", "ringMs",   "talkMs", "holdMs",
	"availableMs", "ringingMs", "busyMs",   "wrapUpMs",         "pausedMs", NULL};
static const char *const trunk_names[] = {
	"calls",        "inbound", "outbound", "answered",   "abandoned", "failed",
	"answerWaitMs", "talkMs",  "holdMs",   "durationMs", NULL};

/* Where all intervals are of one length: it and the first begin are enough. With a name, the index
   that begins with it is used. */
#define STEPS_AS(key, from, sums, where)                                                           \
	"SELECT s.at - MOD(s.at - ?, ?) AS bucket, " key " AS whose, " sums " FROM " from          \
	" WHERE s.step = ? AND " where                                                             \
	" AND s.at >= ? AND s.at < ? GROUP BY bucket, whose ORDER BY bucket, whose LIMIT ?"
#define STEPS(from, sums, where) STEPS_AS("s.name", from, sums, where)

/* Where clocks change, and for months, the intervals come as JSON. MariaDB looks up the range of
   each ("Range checked for each record") only where it can use nothing else of the index: neither a
   step that is a constant or a column, nor the name. Else it reads all that there is for each. */
#define INTERVALS_AS(key, table, sums, where)                                                      \
	"SELECT i.at, " key " AS whose, " sums                                                     \
	" FROM JSON_TABLE(?, '$[*]' COLUMNS (at BIGINT PATH '$.at', "                              \
	"until BIGINT PATH '$.until', step BIGINT PATH '$.step')) AS i STRAIGHT_JOIN " table       \
	" s FORCE INDEX (PRIMARY) ON s.step BETWEEN i.step AND i.step * 1 AND s.at >= i.at "       \
	"AND s.at < i.until WHERE " where " GROUP BY i.at, whose ORDER BY i.at, whose LIMIT ?"
#define INTERVALS(table, sums, where) INTERVALS_AS("s.name", table, sums, where)

#define EACH(table)    table " s"
#define BY_NAME(table) table " s FORCE INDEX (" table "_name)"

#define SEEN "FIND_IN_SET(s.name, ?)"

static const char steps_seen[] = STEPS(EACH("stats_agent"), AGENT_SUMS, SEEN);
static const char steps_together[] = STEPS_AS("''", EACH("stats_agent"), AGENT_SUMS, SEEN);
static const char intervals_seen[] = INTERVALS("stats_agent", AGENT_SUMS, SEEN);
static const char intervals_together[] = INTERVALS_AS("''", "stats_agent", AGENT_SUMS, SEEN);

#define TEXTS(table, sums)                                                                         \
	STEPS(EACH(table), sums, "s.name <> ''"), STEPS(BY_NAME(table), sums, "s.name = ?"),       \
		INTERVALS(table, sums, "CONCAT(s.name) <> ''"),                                    \
		INTERVALS(table, sums, "CONCAT(s.name) = ?")

static const struct table {
	const char *const *names;
	const char *steps_all, *steps_named, *intervals_all, *intervals_named;
	bool has_levels; /* two values for what is selected */
} tables[] = {
	[NUMBERS_BY_QUEUE] = {queue_names, TEXTS("stats_queue", QUEUE_SUMS), true},
	[NUMBERS_BY_AGENT] = {agent_names, TEXTS("stats_agent", AGENT_SUMS), false},
	[NUMBERS_BY_TRUNK] = {trunk_names, TEXTS("stats_trunk", TRUNK_SUMS), false},
};

const char *const *numbers_columns(enum numbers_by by)
{
	return tables[by].names;
}

/* Days of the zones in which the sums are made are there already. */
static int64_t sums_of(const struct numbers_question *question)
{
	return question->step >= ZONE_DAY ? question->days_step : 0;
}

size_t numbers_intervals(const struct numbers_question *question, size_t max, struct buffer *out)
{
	struct json_writer writer = json_writer_init(out);
	size_t count = 0;

	json_begin_array(&writer);
	for (int64_t at = question->from; at < question->to && count <= max; count++) {
		int64_t next = zone_next(question->zone, question->step, at);

		json_begin_object(&writer);
		json_field_int(&writer, "at", at);
		json_field_int(&writer, "until", next);
		json_field_int(&writer, "step", sums_of(question));
		json_end_object(&writer);
		at = next;
	}
	json_end_array(&writer);
	return count;
}

/* Of all intervals; 0: they are not alike. Sums by day are at the begins of days: each is one. */
static int64_t width_of(const struct numbers_question *question)
{
	int64_t width = 0;

	if (question->step == ZONE_DAY && sums_of(question) != 0)
		return 1;

	for (int64_t at = question->from; at < question->to;) {
		int64_t next = zone_next(question->zone, question->step, at);

		if (width != 0 && next - at != width)
			return 0;
		width = next - at;
		at = next;
	}
	return width;
}

struct values {
	struct sql_value list[10];
	size_t count;
};

static void add(struct values *values, struct sql_value value)
{
	values->list[values->count++] = value;
}

static void add_levels(struct values *values, const struct table *table,
		       const struct numbers_question *question)
{
	if (!table->has_levels)
		return;
	add(values, sql_int(question->service_level_s));
	add(values, sql_int(question->short_abandon_s));
}

static const char *text_of(const struct numbers_question *question, bool steps)
{
	const struct table *table = &tables[question->by];

	if (question->seen != NULL && question->together)
		return steps ? steps_together : intervals_together;
	if (question->seen != NULL)
		return steps ? steps_seen : intervals_seen;
	if (question->name != NULL)
		return steps ? table->steps_named : table->intervals_named;
	return steps ? table->steps_all : table->intervals_all;
}

/* In the order of their places in the text: what is selected, from where, which. */
void numbers_ask(struct sql_pool *sql, const struct numbers_question *question,
		 const char *intervals, sql_done_fn *fn, void *context)
{
	const struct table *table = &tables[question->by];
	const char *which = question->seen != NULL ? question->seen : question->name;
	int64_t width = width_of(question);
	struct values values = {.count = 0};

	if (width != 0) {
		add(&values, sql_int(question->from));
		add(&values, sql_int(width));
		add_levels(&values, table, question);
		add(&values, sql_int(sums_of(question)));
	} else {
		add_levels(&values, table, question);
		add(&values, sql_text(intervals));
	}
	if (which != NULL)
		add(&values, sql_text(which));
	if (width != 0) {
		add(&values, sql_int(question->from));
		add(&values, sql_int(question->to));
	}
	add(&values, sql_int((int64_t)question->rows_max));
	sql_query(sql, text_of(question, width != 0), values.list, values.count, fn, context);
}
