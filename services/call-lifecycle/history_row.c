/* Rows of the history as JSON and CSV. */
#include "csv.h"
#include "history_search.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* As COLUMNS in history_search.c. */
enum column {
	CALL_ID,
	PBX,
	DIRECTION,
	FROM_NUMBER,
	FROM_NAME,
	FROM_EXTENSION,
	TO_NUMBER,
	TO_NAME,
	TO_EXTENSION,
	STARTED_AT,
	RINGING_AT,
	ANSWERED_AT,
	ENDED_AT,
	DURATION_MS,
	TALK_MS,
	HOLD_MS,
	RESULT,
	CAUSE,
	CAUSE_TEXT,
	HUNG_UP_BY,
	HUNG_UP_PARTY,
	QUEUE,
	QUEUE_JOINED_AT,
	QUEUE_WAIT_MS,
	QUEUE_OUTCOME,
	TRUNK,
	MERGED_INTO,
	REQUESTED_BY,
	COLUMN_COUNT,
	/* of one call: */
	DETAILS = COLUMN_COUNT,
	IS_OF,
};

static const struct sql_value *cell(const struct sql_result *result, size_t row, unsigned column)
{
	return sql_cell(result, row, column);
}

struct history_place history_row_place(const struct sql_result *result, size_t row)
{
	struct history_place place = {.started_at = cell(result, row, STARTED_AT)->number};

	snprintf(place.call_id, sizeof(place.call_id), "%s", cell(result, row, CALL_ID)->text);
	return place;
}

/* What is NULL or empty is left out. */
static void put(struct json_writer *writer, const char *key, const struct sql_value *value)
{
	if (value->kind == SQL_INT)
		json_field_int(writer, key, value->number);
	else if (value->kind == SQL_TEXT && value->len > 0)
		json_field_str(writer, key, value->text);
}

struct member {
	const char *key;
	enum column column;
};

static void put_members(struct json_writer *writer, const struct member *members, size_t count,
			const struct sql_result *result, size_t row)
{
	for (size_t i = 0; i < count; i++)
		put(writer, members[i].key, cell(result, row, members[i].column));
}

#define PUT_MEMBERS(writer, result, row, ...)                                                      \
	put_members(writer, (const struct member[]){__VA_ARGS__},                                  \
		    sizeof((const struct member[]){__VA_ARGS__}) / sizeof(struct member), result,  \
		    row)

static void write_party(struct json_writer *writer, const char *key,
			const struct sql_result *result, size_t row, enum column number)
{
	json_key(writer, key);
	json_begin_object(writer);
	json_field_str(writer, "number", cell(result, row, number)->text);
	put(writer, "name", cell(result, row, number + 1));
	put(writer, "extension", cell(result, row, number + 2));
	json_end_object(writer);
}

static void write_hangup(struct json_writer *writer, const struct sql_result *result, size_t row)
{
	const struct sql_value *by = cell(result, row, HUNG_UP_BY);
	const struct sql_value *text = cell(result, row, CAUSE_TEXT);

	if (by->kind != SQL_TEXT)
		return;
	json_key(writer, "hangup");
	json_begin_object(writer);
	json_field_int(writer, "cause", cell(result, row, CAUSE)->number);
	json_field_str(writer, "text", text->kind == SQL_TEXT ? text->text : "");
	PUT_MEMBERS(writer, result, row, {"by", HUNG_UP_BY}, {"party", HUNG_UP_PARTY});
	json_end_object(writer);
}

static void write_queue(struct json_writer *writer, const struct sql_result *result, size_t row)
{
	if (cell(result, row, QUEUE)->kind != SQL_TEXT)
		return;
	json_key(writer, "queue");
	json_begin_object(writer);
	PUT_MEMBERS(writer, result, row, {"name", QUEUE}, {"joinedAt", QUEUE_JOINED_AT},
		    {"waitMs", QUEUE_WAIT_MS}, {"outcome", QUEUE_OUTCOME});
	json_end_object(writer);
}

void history_row_write(const struct sql_result *result, size_t row, struct json_writer *writer)
{
	PUT_MEMBERS(writer, result, row, {"callId", CALL_ID}, {"pbx", PBX});
	json_field_str(writer, "state", "ended");
	PUT_MEMBERS(writer, result, row, {"direction", DIRECTION});
	write_party(writer, "from", result, row, FROM_NUMBER);
	write_party(writer, "to", result, row, TO_NUMBER);
	PUT_MEMBERS(writer, result, row, {"startedAt", STARTED_AT}, {"ringingAt", RINGING_AT},
		    {"answeredAt", ANSWERED_AT}, {"endedAt", ENDED_AT}, {"durationMs", DURATION_MS},
		    {"talkMs", TALK_MS}, {"holdMs", HOLD_MS}, {"result", RESULT});
	write_hangup(writer, result, row);
	write_queue(writer, result, row);
	PUT_MEMBERS(writer, result, row, {"trunk", TRUNK}, {"mergedInto", MERGED_INTO},
		    {"requestedBy", REQUESTED_BY});
}

void history_row_write_details(const struct sql_result *result, struct json_writer *writer)
{
	const struct sql_value *details = cell(result, 0, DETAILS);

	/* An object: its members without the braces. */
	if (details->kind == SQL_TEXT && details->len > 2)
		json_raw(writer, details->text + 1, details->len - 2);
}

bool history_row_is_of(const struct sql_result *result)
{
	return cell(result, 0, IS_OF)->number != 0;
}

static void write_rows(const struct sql_result *result, struct json_writer *writer,
		       const char *const *keys)
{
	json_begin_array(writer);
	for (size_t row = 0; row < result->rows; row++) {
		json_begin_object(writer);
		for (size_t i = 0; i < result->columns; i++)
			if (strcmp(keys[i], "from") == 0 || strcmp(keys[i], "to") == 0)
				json_field_str(writer, keys[i], sql_cell(result, row, i)->text);
			else
				put(writer, keys[i], sql_cell(result, row, i));
		json_end_object(writer);
	}
	json_end_array(writer);
}

void history_segments_write(const struct sql_result *result, struct json_writer *writer)
{
	static const char *const keys[] = {
		"kind",    "from",   "to",     "startedAt", "joinedAt", "ringingAt", "answeredAt",
		"endedAt", "talkMs", "holdMs", "queue",     "result",   "cause"};

	write_rows(result, writer, keys);
}

void history_recordings_write(const struct sql_result *result, struct json_writer *writer)
{
	static const char *const keys[] = {"recordingId", "startedAt", "endedAt",
					   "durationMs",  "bytes",     "sha256"};

	write_rows(result, writer, keys);
}

/* ---- CSV (RFC 4180) ---- */

static const struct member csv_columns[] = {
	{"callId", CALL_ID},
	{"startedAt", STARTED_AT},
	{"answeredAt", ANSWERED_AT},
	{"endedAt", ENDED_AT},
	{"direction", DIRECTION},
	{"from", FROM_NUMBER},
	{"fromName", FROM_NAME},
	{"to", TO_NUMBER},
	{"toName", TO_NAME},
	{"result", RESULT},
	{"durationMs", DURATION_MS},
	{"talkMs", TALK_MS},
	{"holdMs", HOLD_MS},
	{"queue", QUEUE},
	{"queueWaitMs", QUEUE_WAIT_MS},
	{"queueOutcome", QUEUE_OUTCOME},
	{"trunk", TRUNK},
	{"cause", CAUSE},
	{"hungUpBy", HUNG_UP_BY},
	{"pbx", PBX},
	{"mergedInto", MERGED_INTO},
};

#define CSV_COLUMNS (sizeof(csv_columns) / sizeof(csv_columns[0]))

void history_csv_head(struct buffer *out)
{
	for (size_t i = 0; i < CSV_COLUMNS; i++)
		buffer_printf(out, "%s%s", i > 0 ? "," : "", csv_columns[i].key);
	buffer_append_str(out, "\r\n");
}

void history_csv_row(const struct sql_result *result, size_t row, struct buffer *out)
{
	for (size_t i = 0; i < CSV_COLUMNS; i++) {
		const struct sql_value *value = cell(result, row, csv_columns[i].column);

		if (i > 0)
			buffer_append_char(out, ',');
		if (value->kind == SQL_INT)
			buffer_append_int(out, value->number);
		else if (value->kind == SQL_TEXT && value->len > 0)
			csv_put(out, value->text);
	}
	buffer_append_str(out, "\r\n");
}
