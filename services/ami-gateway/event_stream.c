#include "event_stream.h"

#include "ami_json.h"
#include "clock.h"
#include "json.h"
#include "mem.h"
#include "stream_writer.h"

#include <stdlib.h>
#include <string.h>

#define KEEP_MS  ((int64_t)3600 * 1000)
#define KEEP_MAX 1000000

#define STAMP_DIGITS_MAX 11 /* of seconds */

struct event_stream {
	struct event_stream_settings set;
	struct stream_writer *writer;
	uint64_t number;
	struct buffer text; /* the entry that is being made */
	struct json_writer json;
};

/* ---- our own entries ---- */

static struct json_writer *begin(struct event_stream *stream, const char *event)
{
	buffer_clear(&stream->text);
	stream->json = json_writer_init(&stream->text);
	json_begin_object(&stream->json);
	json_field_int(&stream->json, "t", clock_wall_ms());
	json_field_int(&stream->json, "n", (int64_t)++stream->number);
	json_field_str(&stream->json, "Event", event);
	return &stream->json;
}

static void end(struct event_stream *stream)
{
	json_end_object(&stream->json);
	stream_writer_add(stream->writer, stream->text.data, stream->text.len);
}

void event_stream_up(struct event_stream *stream, const char *version, int64_t gap_from_ms,
		     int64_t gap_to_ms)
{
	struct json_writer *json = begin(stream, "MaydayUp");

	json_field_str(json, "version", version);
	if (gap_from_ms > 0) {
		json_field_int(json, "gapFrom", gap_from_ms);
		json_field_int(json, "gapTo", gap_to_ms);
	}
	end(stream);
}

void event_stream_down(struct event_stream *stream, const char *reason)
{
	json_field_str(begin(stream, "MaydayDown"), "reason", reason);
	end(stream);
}

void event_stream_snapshot_begin(struct event_stream *stream, const char *id)
{
	json_field_str(begin(stream, "MaydaySnapshotBegin"), "id", id);
	end(stream);
}

void event_stream_snapshot_end(struct event_stream *stream, const char *id, size_t channels)
{
	struct json_writer *json = begin(stream, "MaydaySnapshotEnd");

	json_field_str(json, "id", id);
	json_field_int(json, "channels", (int64_t)channels);
	end(stream);
}

void event_stream_originate(struct event_stream *stream, const char *call_id, const char *action_id,
			    const char *fields, const char *data)
{
	struct json_writer *json = begin(stream, "MaydayOriginate");

	json_field_str(json, "callId", call_id);
	json_field_str(json, "actionId", action_id);
	json_field_raw(json, "fields", fields);
	if (data != NULL)
		json_field_raw(json, "data", data);
	end(stream);
}

void event_stream_originate_failed(struct event_stream *stream, const char *call_id,
				   const char *action_id, const char *outcome, const char *message)
{
	struct json_writer *json = begin(stream, "MaydayOriginateFailed");

	json_field_str(json, "callId", call_id);
	json_field_str(json, "actionId", action_id);
	json_field_str(json, "outcome", outcome);
	json_field_str(json, "message", message);
	end(stream);
}

void event_stream_done(struct event_stream *stream, const char *call_id, const char *action_id,
		       const char *action, const char *data)
{
	struct json_writer *json = begin(stream, "MaydayDone");

	json_field_str(json, "callId", call_id);
	json_field_str(json, "actionId", action_id);
	json_field_str(json, "action", action);
	json_field_raw(json, "data", data);
	end(stream);
}

static void on_overflow(uint64_t dropped, int64_t from_ms, int64_t to_ms, void *context)
{
	struct event_stream *stream = context;
	struct json_writer *json = begin(stream, "MaydayGap");

	json_field_int(json, "from", from_ms);
	json_field_int(json, "to", to_ms);
	json_field_int(json, "dropped", (int64_t)dropped);
	end(stream);
	if (stream->set.on_gap != NULL)
		stream->set.on_gap(dropped, from_ms, to_ms, stream->set.context);
}

static void on_rewound(int64_t from_ms, int64_t to_ms, void *context)
{
	on_overflow(0, from_ms, to_ms, context);
}

/* ---- Asterisk's events ---- */

/* "1795399349.023905": seconds and microseconds. 0 when it is anything else. */
static int64_t stamp_ms(const struct ami_header *header)
{
	int64_t whole = 0;
	int64_t part = 0;
	uint32_t at = 0;

	for (; at < header->value_len && at < STAMP_DIGITS_MAX && header->value[at] >= '0' &&
	       header->value[at] <= '9';
	     at++)
		whole = whole * 10 + (header->value[at] - '0');
	if (at < 9 || at + 4 > header->value_len || header->value[at] != '.')
		return 0;
	for (uint32_t i = at + 1; i < at + 4; i++) {
		if (header->value[i] < '0' || header->value[i] > '9')
			return 0;
		part = part * 10 + (header->value[i] - '0');
	}
	return whole * 1000 + part;
}

/* Asterisk puts it right behind the name or the Privilege: further down it may be forged. */
static int64_t event_ms(const struct ami_message *event, int64_t read_ms)
{
	for (size_t i = 1; i < 3 && i < event->count; i++) {
		if (ami_key_is(&event->headers[i], "Timestamp")) {
			int64_t at_ms = stamp_ms(&event->headers[i]);

			return at_ms > 0 ? at_ms : read_ms;
		}
	}
	return read_ms;
}

bool event_stream_event(struct event_stream *stream, const struct ami_message *event,
			int64_t read_ms)
{
	bool repeats;

	buffer_clear(&stream->text);
	repeats = ami_json_event(event, event_ms(event, read_ms), ++stream->number, &stream->text);
	stream_writer_add(stream->writer, stream->text.data, stream->text.len);
	return repeats;
}

/* ---- life ---- */

struct event_stream *event_stream_open(uv_loop_t *loop, const struct event_stream_settings *set)
{
	struct event_stream *stream = mem_new(struct event_stream);
	const struct stream_writer_settings writer = {
		.redis = set->redis,
		.stream = set->key,
		.field = "e",
		.keep_ms = KEEP_MS,
		.keep_max = KEEP_MAX,
		.buffer_max = set->buffer_max,
		.on_overflow = on_overflow,
		.on_rewound = on_rewound,
		.context = stream,
	};

	stream->set = *set;
	stream->writer = stream_writer_open(loop, &writer);
	return stream;
}

void event_stream_close(struct event_stream **_stream)
{
	struct event_stream *stream = *_stream;

	*_stream = NULL;
	if (stream == NULL)
		return;
	stream_writer_close(&stream->writer);
	buffer_free(&stream->text);
	free(stream);
}

void event_stream_hold(struct event_stream *stream, bool held)
{
	stream_writer_hold(stream->writer, held);
}

size_t event_stream_backlog(const struct event_stream *stream)
{
	return stream_writer_backlog(stream->writer);
}

uint64_t event_stream_dropped(const struct event_stream *stream)
{
	return stream_writer_dropped(stream->writer);
}

uint64_t event_stream_entries(const struct event_stream *stream)
{
	return stream->number;
}
