#include "history_search.h"

#include "ids.h"
#include "mem.h"
#include "reach.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COLUMNS                                                                                    \
	"h.call_id, h.pbx, h.direction, h.from_number, h.from_name, h.from_extension, "            \
	"h.to_number, h.to_name, h.to_extension, h.started_at, h.ringing_at, h.answered_at, "      \
	"h.ended_at, h.duration_ms, h.talk_ms, h.hold_ms, h.result, h.cause, h.cause_text, "       \
	"h.hung_up_by, h.hung_up_party, h.queue, h.queue_joined_at, h.queue_wait_ms, "             \
	"h.queue_outcome, h.trunk, h.merged_into, h.requested_by"

/* What every list has: the span, the place, the rest of the filters. t: the table that leads. */
#define WHERE_PLACE(t)                                                                             \
	t ".started_at >= ? AND " t ".started_at <= ? AND (" t ".started_at < ? OR " t             \
	  ".call_id < ?)"
#define ORDER(t) " ORDER BY " t ".started_at DESC, " t ".call_id DESC LIMIT ?"
#define FILTERS                                                                                    \
	" AND (? = '' OR h.queue = ?) AND (? = '' OR h.result = ?) AND (? = '' OR h.direction = "  \
	"?)"
#define SEEN                                                                                       \
	" AND (? IS NULL OR EXISTS (SELECT 1 FROM call_parties v WHERE v.started_at = "            \
	"h.started_at AND v.call_id = h.call_id AND v.ours AND FIND_IN_SET(v.party, ?)))"
#define OTHER_PARTY                                                                                \
	" AND (? = '' OR EXISTS (SELECT 1 FROM call_parties o WHERE o.party = ? AND "              \
	"o.started_at = h.started_at AND o.call_id = h.call_id))"

static const char sql_by_time[] = "SELECT " COLUMNS " FROM call_history h WHERE " WHERE_PLACE("h")
	FILTERS OTHER_PARTY SEEN ORDER("h");
static const char sql_by_queue[] =
	"SELECT " COLUMNS
	" FROM call_history h FORCE INDEX (call_history_queue) WHERE h.queue = ? AND " WHERE_PLACE(
		"h") FILTERS OTHER_PARTY SEEN ORDER("h");
static const char sql_by_result[] =
	"SELECT " COLUMNS
	" FROM call_history h FORCE INDEX (call_history_result) WHERE h.result = ? "
	"AND " WHERE_PLACE("h") FILTERS OTHER_PARTY SEEN ORDER("h");
static const char sql_by_party[] =
	"SELECT STRAIGHT_JOIN " COLUMNS
	" FROM call_parties p JOIN call_history h ON h.started_at = p.started_at AND "
	"h.call_id = p.call_id WHERE p.party = ? AND (p.ours OR ? = 0) AND " WHERE_PLACE("p")
		FILTERS OTHER_PARTY SEEN ORDER("p");
static const char sql_find[] =
	"SELECT " COLUMNS ", h.details, EXISTS (SELECT 1 FROM call_parties v WHERE v.started_at = "
	"h.started_at AND v.call_id = h.call_id AND v.ours AND FIND_IN_SET(v.party, ?)) "
	"FROM call_history h WHERE h.call_id = ?";
static const char sql_segments[] =
	"SELECT kind, from_party, to_party, started_at, joined_at, ringing_at, answered_at, "
	"ended_at, talk_ms, hold_ms, queue, result, cause FROM call_segments WHERE call_id = ? "
	"ORDER BY number";
static const char sql_recordings[] =
	"SELECT recording_id, started_at, ended_at, duration_ms, bytes, sha256 FROM recordings "
	"WHERE call_id = ? ORDER BY started_at";

/* ---- filters ---- */

static bool is_word(const char *text, size_t max)
{
	size_t len = strlen(text);

	for (size_t i = 0; i < len; i++)
		if ((unsigned char)text[i] < 0x20)
			return false;
	return len > 0 && len <= max;
}

static bool take_word(struct http_request *request, const char *name, size_t size, char *out)
{
	const char *text = http_query(request, name);

	if (text == NULL)
		return true;
	if (!is_word(text, size - 1)) {
		http_reply_error(request, 400, "bad_request", "%s must be 1 to %d characters", name,
				 (int)size - 1);
		return false;
	}
	snprintf(out, size, "%s", text);
	return true;
}

static bool take_time(struct http_request *request, const char *name, int64_t *out)
{
	const char *text = http_query(request, name);
	size_t digits = text != NULL ? strspn(text, "0123456789") : 0;

	if (text == NULL)
		return true;
	if (digits == 0 || digits > 15 || text[digits] != '\0') {
		http_reply_error(request, 400, "bad_request", "%s must be Unix ms", name);
		return false;
	}
	*out = strtoll(text, NULL, 10);
	return true;
}

/* False: 403 was replied. */
static bool is_allowed(struct http_request *request, struct history_filter *filter)
{
	const struct principal *who = http_principal(request);
	bool oversees = principal_may(who, PERMISSION_ALL_CALLS);

	if (reach_is_all(who, PERMISSION_ALL_CALLS))
		return true;
	if (filter->agent[0] == '\0' && oversees) {
		struct buffer seen = {0};

		reach_write(who, PERMISSION_ALL_CALLS, &seen);
		filter->seen = mem_strdup(buffer_str(&seen));
		buffer_free(&seen);
		return true;
	}
	if (filter->agent[0] == '\0')
		snprintf(filter->agent, sizeof(filter->agent), "%s", who->extension);
	if (reach_sees(who, PERMISSION_ALL_CALLS, filter->agent))
		return true;
	http_reply_error(request, 403, "not_your_calls",
			 "you see the calls of your own extension and of your teams");
	return false;
}

void history_filter_free(struct history_filter *filter)
{
	free(filter->seen);
	filter->seen = NULL;
}

bool history_filter_read(struct http_request *request, struct history_filter *filter_r)
{
	*filter_r = (struct history_filter){.to = INT64_MAX};
	if (!take_time(request, "from", &filter_r->from) ||
	    !take_time(request, "to", &filter_r->to) ||
	    !take_word(request, "agent", sizeof(filter_r->agent), filter_r->agent) ||
	    !take_word(request, "number", sizeof(filter_r->number), filter_r->number) ||
	    !take_word(request, "queue", sizeof(filter_r->queue), filter_r->queue) ||
	    !take_word(request, "result", sizeof(filter_r->result), filter_r->result) ||
	    !take_word(request, "direction", sizeof(filter_r->direction), filter_r->direction))
		return false;
	if (filter_r->from > filter_r->to) {
		http_reply_error(request, 400, "bad_request", "from is after to");
		return false;
	}
	return is_allowed(request, filter_r);
}

bool history_place_read(const char *cursor, struct history_place *place_r)
{
	char *end;

	*place_r = (struct history_place){.started_at = INT64_MAX};
	if (cursor == NULL)
		return true;
	place_r->started_at = strtoll(cursor, &end, 10);
	if (end == cursor || *end != '_' || place_r->started_at <= 0 ||
	    !id_is_safe(end + 1, HISTORY_CALL_ID_MAX))
		return false;
	snprintf(place_r->call_id, sizeof(place_r->call_id), "%s", end + 1);
	return true;
}

void history_place_write(const struct history_place *place, struct buffer *out)
{
	buffer_printf(out, "%" PRId64 "_%s", place->started_at, place->call_id);
}

/* ---- questions ---- */

#define VALUES_MAX 22

struct question {
	struct sql_value values[VALUES_MAX];
	size_t count;
};

static void add_text(struct question *question, const char *text, int times)
{
	for (int i = 0; i < times; i++)
		question->values[question->count++] = sql_text(text);
}

static void add_int(struct question *question, int64_t number)
{
	question->values[question->count++] = sql_int(number);
}

/* The one that leaves the fewest rows leads. */
static const char *choose(const struct history_filter *filter, struct question *question)
{
	if (filter->agent[0] != '\0' || filter->number[0] != '\0') {
		add_text(question, filter->agent[0] != '\0' ? filter->agent : filter->number, 1);
		add_int(question, filter->agent[0] != '\0');
		return sql_by_party;
	}
	if (filter->queue[0] != '\0') {
		add_text(question, filter->queue, 1);
		return sql_by_queue;
	}
	if (filter->result[0] != '\0') {
		add_text(question, filter->result, 1);
		return sql_by_result;
	}
	return sql_by_time;
}

void history_search(struct sql_pool *sql, const struct history_filter *filter,
		    const struct history_place *after, size_t limit, sql_done_fn *fn, void *context)
{
	struct question question = {.count = 0};
	const char *text = choose(filter, &question);

	add_int(&question, filter->from);
	add_int(&question, filter->to < after->started_at ? filter->to : after->started_at);
	add_int(&question, after->started_at);
	add_text(&question, after->call_id, 1);
	add_text(&question, filter->queue, 2);
	add_text(&question, filter->result, 2);
	add_text(&question, filter->direction, 2);
	/* With both, the agent led. */
	add_text(&question, filter->agent[0] != '\0' ? filter->number : "", 2);
	add_text(&question, filter->seen, 2);
	add_int(&question, (int64_t)limit);
	sql_query(sql, text, question.values, question.count, fn, context);
}

void history_find(struct sql_pool *sql, const char *call_id, const char *extensions,
		  sql_done_fn *fn, void *context)
{
	const struct sql_value values[] = {sql_text(extensions), sql_text(call_id)};

	sql_query(sql, sql_find, values, 2, fn, context);
}

void history_find_segments(struct sql_pool *sql, const char *call_id, sql_done_fn *fn,
			   void *context)
{
	const struct sql_value value = sql_text(call_id);

	sql_query(sql, sql_segments, &value, 1, fn, context);
}

void history_find_recordings(struct sql_pool *sql, const char *call_id, sql_done_fn *fn,
			     void *context)
{
	const struct sql_value value = sql_text(call_id);

	sql_query(sql, sql_recordings, &value, 1, fn, context);
}
