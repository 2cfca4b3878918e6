/* A call as it is kept in call:<callId>, for others to read. */
#include "model_parts.h"

#include "json.h"

#include <string.h>

struct view {
	model_field_fn *fn;
	void *context;
	struct buffer text;
};

static void put_text(struct view *view, const char *name, const char *value)
{
	if (value == NULL)
		value = "";
	view->fn(name, value, strlen(value), view->context);
}

/* 0 is kept as "": not known. */
static void put_time(struct view *view, const char *name, int64_t value)
{
	buffer_clear(&view->text);
	if (value != 0)
		buffer_append_int(&view->text, value);
	view->fn(name, buffer_str(&view->text), view->text.len, view->context);
}

static void put_span(struct view *view, const char *name, int64_t value)
{
	buffer_clear(&view->text);
	buffer_append_int(&view->text, value);
	view->fn(name, buffer_str(&view->text), view->text.len, view->context);
}

static struct json_writer begin(struct view *view)
{
	buffer_clear(&view->text);
	return json_writer_init(&view->text);
}

static void put_json(struct view *view, const char *name)
{
	view->fn(name, buffer_str(&view->text), view->text.len, view->context);
}

static void optional_str(struct json_writer *writer, const char *key, const char *text)
{
	if (text != NULL && text[0] != '\0')
		json_field_str(writer, key, text);
}

static void optional_int(struct json_writer *writer, const char *key, int64_t number)
{
	if (number != 0)
		json_field_int(writer, key, number);
}

static void put_party(struct view *view, const char *name, const struct party *party)
{
	struct json_writer writer = begin(view);

	json_begin_object(&writer);
	json_field_str(&writer, "number", party->number);
	if (party->name != NULL)
		json_field_str(&writer, "name", party->name);
	optional_str(&writer, "extension", party->extension);
	json_end_object(&writer);
	put_json(view, name);
}

static void put_hangup(struct view *view, const struct call *call)
{
	const char *by = call->ended_by_party[0] == '\0' ? "pbx"
			 : call->by_caller               ? "caller"
							 : "callee";
	struct json_writer writer = begin(view);

	json_begin_object(&writer);
	json_field_int(&writer, "cause", call->cause);
	json_field_str(&writer, "text",
		       call->message != NULL ? call->message : cause_text(call->cause));
	json_field_str(&writer, "by", call->reason != NULL ? "system" : by);
	optional_str(&writer, "party", call->reason != NULL ? NULL : call->ended_by_party);
	optional_str(&writer, "reason", call->reason);
	json_end_object(&writer);
	put_json(view, "hangup");
}

static void put_queue(struct view *view, const struct call *call)
{
	struct json_writer writer = begin(view);

	json_begin_object(&writer);
	json_field_str(&writer, "name", call->queue);
	json_field_int(&writer, "joinedAt", call->queue_joined_at);
	json_field_int(&writer, "position", call->queue_position);
	optional_int(&writer, "waitMs", call->queue_wait_ms);
	optional_str(&writer, "outcome", call->queue_outcome);
	json_end_object(&writer);
	put_json(view, "queue");
}

static const struct channel *parked_channel(const struct call *call)
{
	for (const struct channel *channel = call->channels; channel != NULL;
	     channel = channel->call_next)
		if (channel->parked)
			return channel;
	return NULL;
}

/* "" when nobody of it waits in a parking lot. */
static void put_park(struct view *view, const struct call *call)
{
	const struct channel *channel = parked_channel(call);
	struct json_writer writer = begin(view);

	if (channel != NULL) {
		json_begin_object(&writer);
		json_field_str(&writer, "space", call->park_space);
		optional_str(&writer, "lot", call->park_lot);
		json_field_int(&writer, "parkedAt", call->parked_at);
		json_field_str(&writer, "party", channel->party);
		json_end_object(&writer);
	}
	put_json(view, "park");
}

static void write_segment(struct json_writer *writer, const struct segment *segment)
{
	json_begin_object(writer);
	json_field_str(writer, "kind", segment_kind_names[segment->kind]);
	json_field_str(writer, "from", segment->from);
	json_field_str(writer, "to", segment->to);
	json_field_int(writer, "startedAt", segment->started_at);
	optional_int(writer, "ringingAt", segment->ringing_at);
	optional_int(writer, "answeredAt", segment->answered_at);
	optional_int(writer, "endedAt", segment->ended_at);
	json_field_int(writer, "talkMs", segment->talk_ms);
	optional_int(writer, "holdMs", segment->hold_ms);
	optional_str(writer, "queue", segment->queue);
	optional_int(writer, "joinedAt", segment->joined_at);
	optional_str(writer, "result", call_result_names[segment->result]);
	optional_int(writer, "cause", segment->cause);
	json_end_object(writer);
}

static void put_segments(struct view *view, const struct call *call)
{
	struct json_writer writer = begin(view);

	json_begin_array(&writer);
	for (size_t i = 0; i < call->segment_count; i++)
		write_segment(&writer, call->segments[i]);
	json_end_array(&writer);
	put_json(view, "segments");
}

/* The channel at the other end of the segment in which this one talks, or talked until it was put
   on hold. */
static const struct channel *peer_of(const struct channel *channel)
{
	const struct call *call = channel->call;

	for (size_t i = call->segment_count; i-- > 0;) {
		const struct segment *segment = call->segments[i];
		const struct channel *a = channel_real(segment->a), *b = channel_real(segment->b);

		if (segment->phase != SEGMENT_TALKING && segment->phase != SEGMENT_APART)
			continue;
		if (a == channel)
			return b;
		if (b == channel)
			return a;
	}
	return NULL;
}

static const char *state_word(const struct channel *channel)
{
	switch (channel->state) {
	case CHANNEL_UP:
		return "up";
	case CHANNEL_RINGING:
		return "ringing";
	case CHANNEL_RING:
		return "calling";
	default:
		return "down";
	}
}

static void write_channel(struct json_writer *writer, const struct channel *channel)
{
	const struct channel *peer = peer_of(channel);

	json_begin_object(writer);
	json_field_str(writer, "uniqueid", channel->uniqueid);
	json_field_str(writer, "channel", channel->name);
	json_field_str(writer, "state", state_word(channel));
	if (channel->external || channel->local)
		optional_str(writer, "number", channel->party);
	else
		json_field_str(writer, "extension", channel->party);
	if (channel->local)
		json_field_bool(writer, "local", true);
	json_field_int(writer, "createdAt", channel->created_at);
	optional_int(writer, "answeredAt", channel->up_at);
	if (channel->bridge != NULL)
		json_field_str(writer, "bridge", channel->bridge->id);
	if (peer != NULL)
		json_field_str(writer, "peer", peer->uniqueid);
	if (channel->muted)
		json_field_bool(writer, "muted", true);
	if (channel->hold_at != 0 || channel->our_hold_at != 0)
		json_field_str(writer, "hold", channel->our_hold_at != 0 ? "suite" : "phone");
	json_end_object(writer);
}

static void put_channels(struct view *view, const struct call *call)
{
	struct json_writer writer = begin(view);

	json_begin_array(&writer);
	for (const struct channel *channel = call->channels; channel != NULL;
	     channel = channel->call_next)
		write_channel(&writer, channel);
	json_end_array(&writer);
	put_json(view, "channels");
}

static const char *const recording_state_names[] = {
	[RECORDING_ASKED] = "asked",       [RECORDING_ON] = "recording",
	[RECORDING_TURNING] = "recording", /* nobody need know */
	[RECORDING_PAUSED] = "paused",     [RECORDING_ENDED] = "ended",
};

static void write_recording(struct json_writer *writer, const struct recording *recording)
{
	char path[RECORDING_PATH_MAX];

	recording_path(recording->id, path);
	json_begin_object(writer);
	json_field_str(writer, "recordingId", recording->id);
	json_field_str(writer, "path", path);
	json_field_str(writer, "state", recording_state_names[recording->state]);
	json_field_int(writer, "startedAt", recording->started_at);
	optional_int(writer, "endedAt", recording->ended_at);
	if (recording->ended_at != 0)
		json_field_int(writer, "durationMs", recording->ended_at - recording->started_at);
	optional_str(writer, "by", recording->by);
	if (recording->on != NULL)
		json_field_str(writer, "uniqueid", recording->on->uniqueid);
	json_end_object(writer);
}

/* One that Asterisk never began is none. */
static void put_recordings(struct view *view, const struct call *call)
{
	struct json_writer writer = begin(view);

	json_begin_array(&writer);
	for (size_t i = 0; i < call->recording_count; i++)
		if (call->recordings[i].started_at != 0)
			write_recording(&writer, &call->recordings[i]);
	json_end_array(&writer);
	put_json(view, "recordings");
}

static void put_transfers(struct view *view, const struct call *call)
{
	struct json_writer writer = begin(view);

	json_begin_array(&writer);
	for (size_t i = 0; i < call->transfer_count; i++) {
		const struct transfer *transfer = &call->transfers[i];

		json_begin_object(&writer);
		json_field_int(&writer, "at", transfer->at);
		json_field_str(&writer, "kind", transfer->kind);
		optional_str(&writer, "by", transfer->by);
		optional_str(&writer, "transferee", transfer->transferee);
		json_field_str(&writer, "to", transfer->target);
		json_end_object(&writer);
	}
	json_end_array(&writer);
	put_json(view, "transfers");
}

static void put_strings(struct view *view, const char *name, char *const *strings, size_t count)
{
	struct json_writer writer = begin(view);

	json_begin_array(&writer);
	for (size_t i = 0; i < count; i++)
		json_str(&writer, strings[i]);
	json_end_array(&writer);
	put_json(view, name);
}

static void put_timeline(struct view *view, const struct call *call)
{
	buffer_clear(&view->text);
	buffer_append_char(&view->text, '[');
	buffer_append(&view->text, buffer_str(&call->timeline), call->timeline.len);
	buffer_append_char(&view->text, ']');
	put_json(view, "timeline");
}

static void put_times(struct view *view, const struct call *call)
{
	bool ended = call->state == CALL_ENDED;

	put_time(view, "startedAt", call->started_at);
	put_time(view, "ringingAt", call->ringing_at);
	put_time(view, "answeredAt", call->answered_at);
	put_time(view, "endedAt", call->ended_at);
	put_time(view, "durationMs", ended ? call->ended_at - call->started_at : 0);
	put_span(view, "talkMs", call->talk_ms);
	put_span(view, "holdMs", call->hold_ms);
	put_time(view, "heldAt", call->held_since);
	put_text(view, "heldBy", call->held_by);
}

void model_call_fields(struct model *model, const struct call *call, model_field_fn *fn,
		       void *context)
{
	struct view view = {fn, context, {0}};
	bool ended = call->state == CALL_ENDED;

	put_text(&view, "callId", call->id);
	put_text(&view, "pbx", model->settings->pbx);
	put_text(&view, "state", call_state_names[call->state]);
	put_text(&view, "direction", call_direction_names[call->direction]);
	put_party(&view, "from", &call->from);
	put_party(&view, "to", &call->to);
	put_times(&view, call);
	put_text(&view, "result", call_result_names[call->result]);
	if (ended)
		put_hangup(&view, call);
	if (call->queue[0] != '\0')
		put_queue(&view, call);
	put_park(&view, call);
	put_segments(&view, call);
	put_channels(&view, call);
	put_recordings(&view, call);
	put_transfers(&view, call);
	put_strings(&view, "extensions", call->extensions, call->extension_count);
	put_strings(&view, "mergedFrom", call->merged_from, call->merged_count);
	put_text(&view, "mergedInto", call->merged_into);
	put_text(&view, "requestedBy", call->requested_by);
	put_text(&view, "trunk", call->trunk);
	put_timeline(&view, call);
	buffer_clear(&view.text);
	if (!ended)
		call_save(call, &view.text);
	put_json(&view, "model");
	buffer_free(&view.text);
}

bool model_call_recording(const struct call *call, size_t index,
			  struct model_recording *recording_r)
{
	const struct recording *recording;

	if (index >= call->recording_count)
		return false;
	recording = &call->recordings[index];
	*recording_r = (struct model_recording){
		.id = recording->id,
		.by = recording->by,
		.state = recording_state_names[recording->state],
		.started_at = recording->started_at,
		.ended_at = recording->ended_at,
		.is_news = recording->ended_at != 0 && !recording->end_saved,
	};
	return true;
}

const char *model_call_id(const struct call *call)
{
	return call->id;
}

bool model_call_ended(const struct call *call)
{
	return call->state == CALL_ENDED;
}

int64_t model_call_started_at(const struct call *call)
{
	return call->started_at;
}

bool model_call_is_new(const struct call *call)
{
	return !call->saved;
}

size_t model_call_extensions(const struct call *call, const char *const **extensions_r,
			     size_t *saved_r)
{
	*extensions_r = (const char *const *)call->extensions;
	*saved_r = call->extensions_saved;
	return call->extension_count;
}
