#include "event_frame.h"

#include "buffer.h"
#include "deflate.h"
#include "event.h"
#include "json.h"
#include "offset.h"

#include <stdlib.h>
#include <string.h>

/* An envelope on lines of its own would end the event early. */
static void append_line(struct buffer *out, const char *data, size_t len)
{
	char *at = buffer_reserve(out, len);

	for (size_t i = 0; i < len; i++)
		at[i] = data[i] == '\n' || data[i] == '\r' ? ' ' : data[i];
	out->len += len;
	out->data[out->len] = '\0';
}

static void append_json(struct buffer *out, const struct event *event)
{
	char number[ENTRY_ID_TEXT_MAX];

	buffer_printf(out, "{\"type\":\"event\",\"cursor\":\"%s:%s\",\"event\":",
		      topic_name(event->topic), entry_id_format(event->id, number));
	buffer_append(out, event->data, event->len);
	buffer_append_char(out, '}');
}

static void append_sio(struct buffer *out, const struct event *event, bool of_topic,
		       const char *offset)
{
	buffer_append_str(out, "42");
	if (of_topic)
		buffer_printf(out, "/%s,", topic_name(event->topic));
	buffer_append_char(out, '[');
	json_escape(out, event->type, strlen(event->type));
	buffer_append_char(out, ',');
	buffer_append(out, event->data, event->len);
	buffer_printf(out, ",\"%s\"]", offset);
}

static void append_status_fields(struct json_writer *writer, const cJSON *envelope)
{
	const cJSON *data = cJSON_GetObjectItemCaseSensitive(envelope, "data"), *field;
	const char *state = json_get_str(data, "state");

	if (state == NULL)
		state = json_get_str(data, "availability");
	json_field_str(writer, "extension", json_get_str(envelope, "extension"));
	json_field_str(writer, "status", state);
	json_field_int(writer, "timestamp", json_get_int(envelope, "timestamp", 0));
	cJSON_ArrayForEach(field, data)
	{
		if (!cJSON_IsString(field) || strcmp(field->string, "extension") == 0)
			continue;
		json_field_str(writer, field->string, field->valuestring);
	}
}

/* What clients of the system before this one listen to. */
static void append_status(struct buffer *out, const struct event *event, const char *offset)
{
	const char *error;
	cJSON *envelope = json_parse(event->data, event->len, &error);
	struct json_writer writer = json_writer_init(out);

	buffer_append_str(out, "42[\"extension:status\",");
	json_begin_object(&writer);
	append_status_fields(&writer, envelope);
	json_end_object(&writer);
	buffer_printf(out, ",\"%s\"]", offset);
	cJSON_Delete(envelope);
}

static void append_sse(struct buffer *out, const struct event *event, const char *offset)
{
	buffer_printf(out, "id: %s\nevent: ", offset);
	append_line(out, event->type, strlen(event->type));
	buffer_append_str(out, "\ndata: ");
	append_line(out, event->data, event->len);
	buffer_append_str(out, "\n\n");
}

static struct frame *build(const struct event *event, enum event_format format, const char *offset)
{
	struct buffer out = {0};
	struct frame *frame;

	switch (format) {
	case EVENT_JSON:
	case EVENT_JSON_DEFLATED:
		append_json(&out, event);
		break;
	case EVENT_SIO:
	case EVENT_SIO_DEFLATED:
	case EVENT_SIO_TOPIC:
		append_sio(&out, event, format == EVENT_SIO_TOPIC, offset);
		break;
	case EVENT_SIO_STATUS:
		append_status(&out, event, offset);
		break;
	case EVENT_SSE:
	case EVENT_FORMATS:
		append_sse(&out, event, offset);
		break;
	}
	if (format == EVENT_SSE)
		frame = frame_raw(out.data, out.len);
	else if (format == EVENT_JSON_DEFLATED || format == EVENT_SIO_DEFLATED)
		frame = deflate_frame(out.data, out.len);
	else
		frame = frame_text(out.data, out.len);
	buffer_free(&out);
	return frame;
}

bool event_format_has_offset(enum event_format format)
{
	return format != EVENT_JSON && format != EVENT_JSON_DEFLATED;
}

struct frame *event_frame_alone(const struct event *event, enum event_format format,
				const struct entry_id *at)
{
	char offset[OFFSET_TEXT_MAX] = "";
	struct frame *frame;

	if (event_format_has_offset(format))
		offset_format(at, offset);
	frame = build(event, format, offset);
	if (format != EVENT_JSON)
		frame->key = event->frames[EVENT_JSON]->key;
	if (format == EVENT_SIO_STATUS && frame->key != 0)
		frame->key ^= 1ULL << 63; /* not replaced by its own agent:changed */
	frame->event_ms = (int64_t)event->id.ms;
	return frame;
}

struct frame *event_frame(struct event *event, enum event_format format,
			  const struct entry_id *tips)
{
	if (event->frames[format] == NULL)
		event->frames[format] = event_frame_alone(event, format, tips);
	return event->frames[format];
}

void event_drop_frames(struct event *event)
{
	for (enum event_format format = EVENT_JSON + 1; format < EVENT_FORMATS; format++)
		frame_unref(&event->frames[format]);
}
