/* GET history and analytics: what MariaDB has of transfers that are over. */
#include "body.h"
#include "history.h"
#include "json.h"
#include "mem.h"
#include "reach.h"
#include "replies.h"
#include "routes.h"
#include "service.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct query {
	struct http_request *request;
	size_t limit;
};

/* ---- what is asked ---- */

/* Absent leaves it. False: 400 was replied. */
static bool read_time(struct http_request *request, const char *name, int64_t *at_r)
{
	const char *text = http_query(request, name);
	char *end;

	if (text == NULL)
		return true;
	*at_r = strtoll(text, &end, 10);
	if (*text != '\0' && *end == '\0' && *at_r >= 0)
		return true;
	http_reply_error(request, 400, "invalid_time", "%s must be a time in Unix ms", name);
	return false;
}

static bool is_result(const char *word)
{
	enum transfer_state state;

	return state_parse(word, &state) && state_is_over(state);
}

static bool is_kind(const char *word)
{
	enum transfer_kind kind;

	return kind_parse(word, &kind);
}

/* False: a reply was sent. seen: memory for the filter, to be freed after its use. */
static bool read_filter(struct http_request *request, struct history_filter *filter_r,
			struct buffer *seen)
{
	const char *extension;

	memset(filter_r, 0, sizeof(*filter_r));
	filter_r->kind = http_query(request, "kind");
	filter_r->target = http_query(request, "target");
	filter_r->result = http_query(request, "result");
	filter_r->reason = http_query(request, "reason");
	filter_r->call_id = http_query(request, "callId");
	filter_r->customer = http_query(request, "customer");
	if (!read_time(request, "from", &filter_r->from) ||
	    !read_time(request, "to", &filter_r->to))
		return false;
	if ((filter_r->kind != NULL && !is_kind(filter_r->kind)) ||
	    (filter_r->result != NULL && !is_result(filter_r->result))) {
		http_reply_error(request, 400, "invalid_filter", "No such kind, or result");
		return false;
	}
	extension = whose_transfers(request);
	if (extension == NULL)
		return false;
	filter_r->extension = extension[0] != '\0' ? extension : NULL;
	if (!reach_is_all(http_principal(request), PERMISSION_ALL_CALLS)) {
		reach_write(http_principal(request), PERMISSION_ALL_CALLS, seen);
		filter_r->seen = buffer_str(seen);
	}
	return true;
}

/* ---- history ---- */

static const struct {
	const char *name;
	bool optional; /* left out when it is empty */
} columns[HISTORY_COLUMNS] = {
	[HISTORY_ID] = {"transferId", false},
	[HISTORY_CALL] = {"callId", false},
	[HISTORY_PBX] = {"pbx", false},
	[HISTORY_KIND] = {"kind", false},
	[HISTORY_FROM] = {"from", true},
	[HISTORY_CUSTOMER] = {"customer", true},
	[HISTORY_TO] = {"to", false},
	[HISTORY_RESULT] = {"result", false},
	[HISTORY_REASON] = {"reason", true},
	[HISTORY_REQUESTED_BY] = {"requestedBy", true},
	[HISTORY_REQUESTED_AT] = {"requestedAt", false},
	[HISTORY_RINGING_AT] = {"ringingAt", false},
	[HISTORY_ANSWERED_AT] = {"answeredAt", false},
	[HISTORY_ENDED_AT] = {"endedAt", false},
	[HISTORY_CONFERENCE] = {"conference", false},
};

static void write_cell(struct json_writer *json, size_t column, const struct sql_value *value)
{
	if (value->kind == SQL_NULL || (columns[column].optional && value->len == 0))
		return;
	if (column == HISTORY_CONFERENCE)
		json_field_bool(json, columns[column].name, value->number != 0);
	else if (value->kind == SQL_INT)
		json_field_int(json, columns[column].name, value->number);
	else
		json_field_str(json, columns[column].name, value->text);
}

static void write_rows(const struct sql_result *result, size_t rows, struct json_writer *json)
{
	json_key(json, "transfers");
	json_begin_array(json);
	for (size_t row = 0; row < rows; row++) {
		json_begin_object(json);
		for (size_t column = 0; column < HISTORY_COLUMNS; column++)
			write_cell(json, column, sql_cell(result, row, column));
		json_end_object(json);
	}
	json_end_array(json);
}

static void write_cursor(const struct sql_result *result, size_t limit, struct json_writer *json)
{
	char cursor[64];

	json_key(json, "nextCursor");
	if (result->rows <= limit) {
		json_null(json);
		return;
	}
	snprintf(cursor, sizeof(cursor), "%" PRId64 "_%s",
		 sql_cell(result, limit - 1, HISTORY_REQUESTED_AT)->number,
		 sql_cell(result, limit - 1, HISTORY_ID)->text);
	json_str(json, cursor);
}

static void on_list(const struct sql_result *result, void *context)
{
	struct query *query = context;
	struct buffer body = {0};
	struct json_writer json = json_writer_init(&body);

	if (result->status != SQL_OK) {
		reply_unavailable(query->request);
	} else {
		json_begin_object(&json);
		write_rows(result, result->rows < query->limit ? result->rows : query->limit,
			   &json);
		write_cursor(result, query->limit, &json);
		json_end_object(&json);
		http_reply_json(query->request, 200, &body);
	}
	free(query);
}

static struct query *query_new(struct http_request *request, size_t limit)
{
	struct query *query = mem_new(struct query);

	*query = (struct query){request, limit};
	return query;
}

void handle_history(struct http_request *request, void *context)
{
	struct service *service = context;
	struct history_filter filter;
	struct buffer seen = {0};
	struct http_page page;
	char *end;

	if (!http_page(request, &page) || !read_filter(request, &filter, &seen))
		return;
	if (page.cursor != NULL) {
		filter.before_at = strtoll(page.cursor, &end, 10);
		if (filter.before_at <= 0 || *end != '_' || !body_is_call(end + 1)) {
			http_reply_error(request, 400, "invalid_cursor",
					 "The cursor is not one of ours");
			buffer_free(&seen);
			return;
		}
		filter.before_id = end + 1;
	}
	/* One more than asked for tells whether there is a next page. */
	history_list(service->history, &filter, page.limit + 1, on_list,
		     query_new(request, page.limit));
	buffer_free(&seen);
}

/* ---- analytics ---- */

static const char *const group_names[HISTORY_GROUPS] = {
	[HISTORY_BY_KIND] = "kind",     [HISTORY_BY_AGENT] = "agent",
	[HISTORY_BY_TARGET] = "target", [HISTORY_BY_RESULT] = "result",
	[HISTORY_BY_REASON] = "reason", [HISTORY_BY_DAY] = "day",
	[HISTORY_BY_HOUR] = "hour",
};

static const char *const sum_names[HISTORY_SUM_COLUMNS] = {
	[HISTORY_SUM_TOTAL] = "total",
	[HISTORY_SUM_COMPLETED] = "completed",
	[HISTORY_SUM_FAILED] = "failed",
	[HISTORY_SUM_CANCELLED] = "cancelled",
	[HISTORY_SUM_ROLLED_BACK] = "rolledBack",
	[HISTORY_SUM_ABANDONED] = "abandoned",
	[HISTORY_SUM_ANSWERED] = "answered",
};

/* The rate is of those that nobody cancelled. */
static void write_sums(struct json_writer *json, const int64_t *sums)
{
	int64_t tried = sums[HISTORY_SUM_TOTAL] - sums[HISTORY_SUM_CANCELLED];
	int64_t answered = sums[HISTORY_SUM_ANSWERED];

	for (size_t i = HISTORY_SUM_TOTAL; i < HISTORY_SUM_ANSWER_MS; i++)
		json_field_int(json, sum_names[i], sums[i]);
	json_field_int(json, "successPercent",
		       tried > 0 ? sums[HISTORY_SUM_COMPLETED] * 100 / tried : 0);
	json_field_int(json, "averageAnswerMs",
		       answered > 0 ? sums[HISTORY_SUM_ANSWER_MS] / answered : 0);
}

static void write_groups(struct json_writer *json, const struct sql_result *result, int64_t *all)
{
	json_key(json, "groups");
	json_begin_array(json);
	for (size_t row = 0; row < result->rows; row++) {
		int64_t sums[HISTORY_SUM_COLUMNS] = {0};

		for (size_t i = HISTORY_SUM_TOTAL; i < HISTORY_SUM_COLUMNS; i++) {
			sums[i] = sql_cell(result, row, i)->number;
			all[i] += sums[i];
		}
		json_begin_object(json);
		json_field_str(json, "key", sql_cell(result, row, HISTORY_SUM_KEY)->text);
		write_sums(json, sums);
		json_end_object(json);
	}
	json_end_array(json);
}

static void on_sums(const struct sql_result *result, void *context)
{
	struct http_request *request = context;
	int64_t all[HISTORY_SUM_COLUMNS] = {0};
	struct buffer body = {0};
	struct json_writer json = json_writer_init(&body);

	if (result->status != SQL_OK) {
		reply_unavailable(request);
		return;
	}
	json_begin_object(&json);
	write_groups(&json, result, all);
	json_key(&json, "all");
	json_begin_object(&json);
	write_sums(&json, all);
	json_end_object(&json);
	json_end_object(&json);
	http_reply_json(request, 200, &body);
}

void handle_analytics(struct http_request *request, void *context)
{
	struct service *service = context;
	const char *by = http_query(request, "by");
	struct history_filter filter;
	struct buffer seen = {0};
	size_t group = 0;

	if (by != NULL)
		while (group < HISTORY_GROUPS && strcmp(group_names[group], by) != 0)
			group++;
	if (group == HISTORY_GROUPS) {
		http_reply_error(request, 400, "invalid_group",
				 "by must be kind, agent, target, result, reason, day or hour");
		return;
	}
	if (read_filter(request, &filter, &seen))
		history_sums(service->history, (enum history_group)group, &filter, on_sums,
			     request);
	buffer_free(&seen);
}
