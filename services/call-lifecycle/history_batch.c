#include "history_batch.h"

#include "mem.h"
#include "store.h"

#include <stdlib.h>
#include <string.h>

/* ---- arrays ---- */

static struct json_writer add(struct history_list *list)
{
	struct json_writer writer = json_writer_init(&list->text);

	buffer_append_char(&list->text, list->count++ > 0 ? ',' : '[');
	json_begin_object(&writer);
	return writer;
}

const char *history_list_text(struct history_list *list)
{
	if (list->count == 0)
		return "[]";
	if (list->text.data[list->text.len - 1] != ']')
		buffer_append_char(&list->text, ']');
	return buffer_str(&list->text);
}

/* ---- a call ---- */

struct record {
	struct history_batch *batch;
	const redisReply *reply;
	const char *id;
	int64_t started_at;
	cJSON *extensions;
};

static const redisReply *field(const redisReply *reply, const char *name)
{
	for (size_t i = 0; store_call_fields[i].name != NULL; i++)
		if (strcmp(store_call_fields[i].name, name) == 0)
			return reply->element[i];
	return NULL;
}

static const char *text_of(const redisReply *reply, const char *name)
{
	const redisReply *value = field(reply, name);

	return value != NULL && value->type == REDIS_REPLY_STRING ? value->str : "";
}

static int64_t number_of(const redisReply *reply, const char *name)
{
	return strtoll(text_of(reply, name), NULL, 10);
}

static cJSON *json_of(const redisReply *reply, const char *name)
{
	const char *text = text_of(reply, name), *error;

	return json_parse(text, strlen(text), &error);
}

static void put_text(struct json_writer *writer, const char *key, const char *text)
{
	if (text != NULL && text[0] != '\0')
		json_field_str(writer, key, text);
}

static void put_int(struct json_writer *writer, const char *key, int64_t number)
{
	if (number != 0)
		json_field_int(writer, key, number);
}

static bool is_ours(const struct record *record, const char *party)
{
	const cJSON *item;

	cJSON_ArrayForEach(item, record->extensions) if (cJSON_IsString(item) &&
							 strcmp(item->valuestring, party) ==
								 0) return true;
	return false;
}

static void add_party(struct record *record, const char *party)
{
	struct json_writer writer;

	if (party == NULL || party[0] == '\0')
		return;
	writer = add(&record->batch->parties);
	json_field_str(&writer, "i", record->id);
	json_field_str(&writer, "p", party);
	json_field_int(&writer, "s", record->started_at);
	json_field_int(&writer, "o", is_ours(record, party));
	json_end_object(&writer);
}

static void add_parties(struct record *record, const cJSON *from, const cJSON *to)
{
	const cJSON *item;

	cJSON_ArrayForEach(item, record->extensions) add_party(record, cJSON_GetStringValue(item));
	add_party(record, json_get_str(from, "number"));
	add_party(record, json_get_str(to, "number"));
}

static void put_party(struct json_writer *writer, const char *const keys[3], const cJSON *party)
{
	put_text(writer, keys[0], json_get_str(party, "number"));
	put_text(writer, keys[1], json_get_str(party, "name"));
	put_text(writer, keys[2], json_get_str(party, "extension"));
}

static void put_hangup(struct json_writer *writer, const cJSON *hangup)
{
	put_int(writer, "cause", json_get_int(hangup, "cause", 0));
	put_text(writer, "causeText", json_get_str(hangup, "text"));
	put_text(writer, "by", json_get_str(hangup, "by"));
	put_text(writer, "byParty", json_get_str(hangup, "party"));
}

static void put_queue(struct json_writer *writer, const cJSON *queue)
{
	if (json_get_str(queue, "name") == NULL)
		return;
	put_text(writer, "queue", json_get_str(queue, "name"));
	put_int(writer, "queueJoined", json_get_int(queue, "joinedAt", 0));
	json_field_int(writer, "queueWait", json_get_int(queue, "waitMs", 0));
	put_text(writer, "queueOutcome", json_get_str(queue, "outcome"));
}

/* A text with a JSON object in it: the database stores it as it is. */
static void put_details(struct json_writer *writer, const redisReply *reply)
{
	static const char *const names[] = {"extensions", "transfers", "mergedFrom", "timeline"};
	struct buffer text = {0};
	struct json_writer details = json_writer_init(&text);

	json_begin_object(&details);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (text_of(reply, names[i])[0] != '\0')
			json_field_raw(&details, names[i], text_of(reply, names[i]));
	json_end_object(&details);
	json_field_str(writer, "details", buffer_str(&text));
	buffer_free(&text);
}

static void put_times(struct json_writer *writer, const redisReply *reply)
{
	json_field_int(writer, "s", number_of(reply, "startedAt"));
	put_int(writer, "ringing", number_of(reply, "ringingAt"));
	put_int(writer, "answered", number_of(reply, "answeredAt"));
	json_field_int(writer, "ended", number_of(reply, "endedAt"));
	json_field_int(writer, "duration", number_of(reply, "durationMs"));
	json_field_int(writer, "talk", number_of(reply, "talkMs"));
	json_field_int(writer, "hold", number_of(reply, "holdMs"));
}

static void add_call(struct record *record, const cJSON *from, const cJSON *to)
{
	static const char *const from_keys[] = {"fromNumber", "fromName", "fromExtension"};
	static const char *const to_keys[] = {"toNumber", "toName", "toExtension"};
	struct json_writer writer = add(&record->batch->calls);
	const redisReply *reply = record->reply;
	cJSON *hangup = json_of(reply, "hangup"), *queue = json_of(reply, "queue");

	json_field_str(&writer, "i", record->id);
	json_field_str(&writer, "pbx", text_of(reply, "pbx"));
	json_field_str(&writer, "direction", text_of(reply, "direction"));
	put_party(&writer, from_keys, from);
	put_party(&writer, to_keys, to);
	put_times(&writer, reply);
	json_field_str(&writer, "result", text_of(reply, "result"));
	put_hangup(&writer, hangup);
	put_queue(&writer, queue);
	put_text(&writer, "trunk", text_of(reply, "trunk"));
	put_text(&writer, "mergedInto", text_of(reply, "mergedInto"));
	put_text(&writer, "requestedBy", text_of(reply, "requestedBy"));
	put_details(&writer, reply);
	json_end_object(&writer);
	cJSON_Delete(hangup);
	cJSON_Delete(queue);
}

/* Mostly the one that was noted last. */
static void note_time(struct history_batch *batch, int64_t at)
{
	int64_t quarter = zone_begin("UTC", ZONE_QUARTER, at);

	for (size_t i = batch->quarter_count; i-- > 0;)
		if (batch->quarters[i] == quarter)
			return;
	batch->quarters =
		mem_grow(batch->quarters, (batch->quarter_count + 1) * sizeof(*batch->quarters));
	batch->quarters[batch->quarter_count++] = quarter;
}

static void add_segment(struct record *record, const cJSON *segment, int number)
{
	struct json_writer writer = add(&record->batch->segments);
	const char *from = json_get_str(segment, "from"), *to = json_get_str(segment, "to");
	int64_t joined_at = json_get_int(segment, "joinedAt", 0);
	int64_t started_at = json_get_int(segment, "startedAt", 0);
	int64_t ended_at = json_get_int(segment, "endedAt", 0);

	json_field_str(&writer, "i", record->id);
	json_field_int(&writer, "n", number);
	put_text(&writer, "kind", json_get_str(segment, "kind"));
	put_text(&writer, "from", from);
	put_text(&writer, "to", to);
	json_field_int(&writer, "fromOurs", from != NULL && is_ours(record, from));
	json_field_int(&writer, "toOurs", to != NULL && is_ours(record, to));
	put_text(&writer, "queue", json_get_str(segment, "queue"));
	if (joined_at != 0)
		json_field_int(&writer, "wait", ended_at - joined_at);
	json_field_int(&writer, "s", started_at);
	put_int(&writer, "joined", joined_at);
	put_int(&writer, "ringing", json_get_int(segment, "ringingAt", 0));
	put_int(&writer, "answered", json_get_int(segment, "answeredAt", 0));
	json_field_int(&writer, "ended", ended_at);
	json_field_int(&writer, "talk", json_get_int(segment, "talkMs", 0));
	json_field_int(&writer, "hold", json_get_int(segment, "holdMs", 0));
	put_text(&writer, "result", json_get_str(segment, "result"));
	put_int(&writer, "cause", json_get_int(segment, "cause", 0));
	json_end_object(&writer);
	add_party(record, from);
	add_party(record, to);
	note_time(record->batch, started_at);
}

static void add_recording(struct record *record, const cJSON *recording)
{
	const char *id = json_get_str(recording, "recordingId");
	struct json_writer writer;

	if (id == NULL)
		return;
	writer = add(&record->batch->recordings);
	json_field_str(&writer, "i", record->id);
	json_field_str(&writer, "r", id);
	put_text(&writer, "path", json_get_str(recording, "path"));
	json_field_int(&writer, "s", json_get_int(recording, "startedAt", record->started_at));
	put_int(&writer, "ended", json_get_int(recording, "endedAt", 0));
	put_int(&writer, "duration", json_get_int(recording, "durationMs", 0));
	put_int(&writer, "bytes", json_get_int(recording, "bytes", 0));
	put_text(&writer, "sha256", json_get_str(recording, "sha256"));
	put_text(&writer, "by", json_get_str(recording, "by"));
	json_end_object(&writer);
}

static void add_lists(struct record *record)
{
	cJSON *segments = json_of(record->reply, "segments");
	cJSON *recordings = json_of(record->reply, "recordings");
	const cJSON *item;
	int number = 0;

	cJSON_ArrayForEach(item, segments) add_segment(record, item, number++);
	cJSON_ArrayForEach(item, recordings) add_recording(record, item);
	cJSON_Delete(segments);
	cJSON_Delete(recordings);
}

bool history_batch_add_call(struct history_batch *batch, const redisReply *reply)
{
	struct record record = {.batch = batch, .reply = reply};
	cJSON *from, *to;

	if (reply->type != REDIS_REPLY_ARRAY || reply->elements != store_call_field_count)
		return false;
	record.id = text_of(reply, "callId");
	record.started_at = number_of(reply, "startedAt");
	if (record.id[0] == '\0' || strcmp(text_of(reply, "state"), "ended") != 0)
		return false;
	record.extensions = json_of(reply, "extensions");
	from = json_of(reply, "from");
	to = json_of(reply, "to");
	add_call(&record, from, to);
	add_parties(&record, from, to);
	add_lists(&record);
	note_time(batch, record.started_at);
	cJSON_Delete(record.extensions);
	cJSON_Delete(from);
	cJSON_Delete(to);
	return true;
}

/* ---- agents' time ---- */

struct span {
	const char *extension, *state, *reason;
	int64_t from, to;
};

static void add_piece(struct history_list *list, const struct span *span, int64_t step, int64_t at,
		      int64_t ms)
{
	struct json_writer writer = add(list);

	json_field_int(&writer, "step", step);
	json_field_str(&writer, "x", span->extension);
	json_field_int(&writer, "at", at);
	json_field_int(&writer, span->state, ms);
	if (strcmp(span->state, "wrap_up") == 0)
		put_text(&writer, "queue", span->reason);
	json_end_object(&writer);
}

/* step: 0 by quarters, else of the sums by day of the zone. */
static void add_pieces(struct history_list *list, const struct span *span, const char *zone,
		       int64_t step)
{
	enum zone_step length = step == 0 ? ZONE_QUARTER : ZONE_DAY;

	for (int64_t from = span->from; from < span->to;) {
		int64_t next = zone_next(zone, length, from);
		int64_t to = next < span->to ? next : span->to;

		add_piece(list, span, step, zone_begin(zone, length, from), to - from);
		from = to;
	}
}

static bool read_span(const cJSON *event, struct span *span_r)
{
	const cJSON *data = cJSON_GetObjectItemCaseSensitive(event, "data");
	const char *reason = json_get_str(data, "previousReason");

	*span_r = (struct span){
		.extension = json_get_str(data, "extension"),
		.state = json_get_str(data, "previousState"),
		.reason = reason != NULL ? reason : "",
		.from = json_get_int(data, "previousAt", 0),
		.to = json_get_int(event, "timestamp", 0),
	};
	return span_r->extension != NULL && span_r->state != NULL && span_r->from > 0 &&
	       span_r->to > span_r->from;
}

bool history_batch_add_span(struct history_batch *batch, const cJSON *event,
			    const struct zones *zones)
{
	struct json_writer writer;
	struct span span;

	if (!read_span(event, &span))
		return false;
	writer = add(&batch->spans);
	json_field_str(&writer, "x", span.extension);
	json_field_int(&writer, "s", span.from);
	json_field_int(&writer, "e", span.to);
	json_field_str(&writer, "state", span.state);
	put_text(&writer, "reason", span.reason);
	json_end_object(&writer);
	/* Nobody is at work. */
	if (strcmp(span.state, "offline") == 0)
		return true;
	add_pieces(&batch->pieces, &span, zones->names[0], 0);
	for (size_t i = 0; i < zones->count; i++)
		add_pieces(&batch->pieces, &span, zones->names[i], (int64_t)i + 1);
	return true;
}

static void add_step(struct history_batch *batch, int64_t at, int64_t until, int64_t step)
{
	struct json_writer writer = add(&batch->steps);

	json_field_int(&writer, "step", step);
	json_field_int(&writer, "at", at);
	json_field_int(&writer, "until", until);
	json_end_object(&writer);
}

static int by_time(const void *a, const void *b)
{
	int64_t left = *(const int64_t *)a, right = *(const int64_t *)b;

	return left < right ? -1 : left > right;
}

static void add_days(struct history_batch *batch, const char *zone, int64_t step)
{
	int64_t until = INT64_MIN;

	for (size_t i = 0; i < batch->quarter_count; i++) {
		int64_t at = batch->quarters[i];

		if (at < until)
			continue;
		until = zone_next(zone, ZONE_DAY, at);
		add_step(batch, zone_begin(zone, ZONE_DAY, at), until, step);
	}
}

void history_batch_finish(struct history_batch *batch, const struct zones *zones)
{
	if (batch->quarter_count == 0)
		return;
	qsort(batch->quarters, batch->quarter_count, sizeof(*batch->quarters), by_time);
	for (size_t i = 0; i < batch->quarter_count; i++)
		add_step(batch, batch->quarters[i],
			 zone_next(zones->names[0], ZONE_QUARTER, batch->quarters[i]), 0);
	for (size_t i = 0; i < zones->count; i++)
		add_days(batch, zones->names[i], (int64_t)i + 1);
}

void history_batch_free(struct history_batch *batch)
{
	struct history_list *const lists[] = {&batch->calls,      &batch->segments, &batch->parties,
					      &batch->recordings, &batch->spans,    &batch->pieces,
					      &batch->steps};

	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++)
		buffer_free(&lists[i]->text);
	free(batch->quarters);
	*batch = (struct history_batch){0};
}
