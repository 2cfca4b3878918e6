/* What is told to others, once an entry is applied and the states are settled: one envelope for
   each event, and a line in the call's timeline. */
#include "model_parts.h"

#include "json.h"
#include "mem.h"
#include "msg_call_dialing.h"
#include "msg_call_ended.h"
#include "msg_call_established.h"
#include "msg_call_held.h"
#include "msg_call_merged.h"
#include "msg_call_originating.h"
#include "msg_call_parked.h"
#include "msg_call_queued.h"
#include "msg_call_recorded.h"
#include "msg_call_ringing.h"
#include "msg_call_transferred.h"
#include "msg_call_unheld.h"
#include "msg_call_unparked.h"

#include <stdio.h>
#include <string.h>

static const char *const note_words[] = {
	[NOTE_ORIGINATING] = "originating",
	[NOTE_DIALING] = "dialing",
	[NOTE_RINGING] = "ringing",
	[NOTE_ESTABLISHED] = "established",
	[NOTE_HELD] = "held",
	[NOTE_UNHELD] = "unheld",
	[NOTE_TRANSFERRED] = "transferred",
	[NOTE_PARKED] = "parked",
	[NOTE_UNPARKED] = "unparked",
	[NOTE_QUEUED] = "queued",
	[NOTE_MERGED] = "merged",
	[NOTE_RECORDED] = "recorded",
	[NOTE_ENDED] = "ended",
};

struct note *note_add(struct model *model, enum note_kind kind, struct call *call)
{
	struct note *note;

	if (model->note_count == NOTES_MAX) {
		model->counters.overflow++;
		return NULL;
	}
	call_touch(model, call);
	note = &model->notes[model->note_count++];
	*note = (struct note){.kind = kind, .call = call};
	return note;
}

static const char *or_null(const char *text)
{
	return text != NULL && text[0] != '\0' ? text : NULL;
}

/* What every event of a call says. */
#define WITH_CALL(call)                                                                            \
	.state = call_state_names[(call)->state],                                                  \
	.direction = call_direction_names[(call)->direction],                                      \
	.caller = or_null((call)->from.number), .caller_name = or_null((call)->from.name),         \
	.callee = or_null((call)->to.number)

typedef void data_fn(const struct note *note, struct json_writer *writer);

static void write_originating(const struct note *note, struct json_writer *writer)
{
	const struct call *call = note->call;
	const struct msg_call_originating message = {
		WITH_CALL(call),
		.requested_by = call->requested_by,
		.action_id = call->action_id,
	};

	msg_call_originating_write(&message, writer);
}

static void write_dialing(const struct note *note, struct json_writer *writer)
{
	const struct call *call = note->call;
	const struct msg_call_dialing message = {
		WITH_CALL(call),
		.channel = call->origin != NULL ? call->origin->name : NULL,
		.uniqueid = call->origin != NULL ? call->origin->uniqueid : NULL,
	};

	msg_call_dialing_write(&message, writer);
}

/* Asked by the phone's own keys: Asterisk rings through a Local channel of its own. */
static bool asked_by_phone(const struct segment *segment, const struct channel *rung)
{
	return segment->kind == SEGMENT_CONSULTATION && rung != NULL && rung->dialer != NULL &&
	       rung->dialer->local;
}

/* Whom the one that asks left for it. */
static const char *left_waiting(const struct segment *asks)
{
	const struct call *call = asks->call;
	const struct channel *by = channel_real(asks->a);

	for (size_t i = call->segment_count; by != NULL && i-- > 0;) {
		const struct segment *segment = call->segments[i];
		const struct channel *a = channel_real(segment->a), *b = channel_real(segment->b);

		if (segment == asks || segment->phase == SEGMENT_CLOSED || a == NULL || b == NULL)
			continue;
		if (a == by || b == by)
			return a == by ? b->party : a->party;
	}
	return "";
}

static void write_ringing(const struct note *note, struct json_writer *writer)
{
	const struct channel *channel = channel_real(note->segment->b);
	bool asked = asked_by_phone(note->segment, channel);
	const struct msg_call_ringing message = {
		WITH_CALL(note->call),
		.channel = channel != NULL ? channel->name : NULL,
		.uniqueid = channel != NULL ? channel->uniqueid : NULL,
		.extension = or_null(note->segment->to),
		.asked_by = asked ? or_null(note->segment->from) : NULL,
		.waiting = asked ? or_null(left_waiting(note->segment)) : NULL,
	};

	msg_call_ringing_write(&message, writer);
}

static void write_established(const struct note *note, struct json_writer *writer)
{
	const struct segment *segment = note->segment;
	const struct msg_call_established message = {
		WITH_CALL(note->call),
		.answered_at = segment->answered_at,
		.has_ring_ms = segment->ringing_at != 0 && !segment->own_ring &&
			       segment->answered_at >= segment->ringing_at,
		.ring_ms = segment->answered_at - segment->ringing_at,
		.answered_by = or_null(segment->to),
	};

	msg_call_established_write(&message, writer);
}

static void write_held(const struct note *note, struct json_writer *writer)
{
	const struct msg_call_held message = {
		WITH_CALL(note->call),
		.held_by = or_null(note->call->held_by),
	};

	msg_call_held_write(&message, writer);
}

static void write_unheld(const struct note *note, struct json_writer *writer)
{
	const struct msg_call_unheld message = {
		WITH_CALL(note->call),
		.held_by = or_null(note->party),
		.has_held_ms = true,
		.held_ms = note->span_ms,
	};

	msg_call_unheld_write(&message, writer);
}

static enum msg_call_transferred_kind transfer_kind(const char *kind)
{
	if (strcmp(kind, "blind") == 0)
		return MSG_CALL_TRANSFERRED_KIND_BLIND;
	return strcmp(kind, "attended") == 0 ? MSG_CALL_TRANSFERRED_KIND_ATTENDED
					     : MSG_CALL_TRANSFERRED_KIND_REDIRECT;
}

static void write_transferred(const struct note *note, struct json_writer *writer)
{
	const struct transfer *transfer = &note->call->transfers[note->transfer];
	const struct msg_call_transferred message = {
		WITH_CALL(note->call),
		.kind = transfer_kind(transfer->kind),
		.from = or_null(transfer->by),
		.to = transfer->target,
		.transferee = or_null(transfer->transferee),
	};

	msg_call_transferred_write(&message, writer);
}

static void write_parked(const struct note *note, struct json_writer *writer)
{
	const struct msg_call_parked message = {
		WITH_CALL(note->call),
		.space = note->call->park_space,
		.lot = or_null(note->call->park_lot),
		.parked_by = or_null(note->party),
		.has_timeout_ms = note->span_ms > 0,
		.timeout_ms = note->span_ms,
	};

	msg_call_parked_write(&message, writer);
}

static void write_unparked(const struct note *note, struct json_writer *writer)
{
	const struct msg_call_unparked message = {
		WITH_CALL(note->call),
		.space = note->call->park_space,
		.lot = or_null(note->call->park_lot),
		.has_reason = true,
		.reason = strcmp(note->word, "retrieved") == 0 ? MSG_CALL_UNPARKED_REASON_RETRIEVED
			  : strcmp(note->word, "timeout") == 0 ? MSG_CALL_UNPARKED_REASON_TIMEOUT
							       : MSG_CALL_UNPARKED_REASON_GAVE_UP,
		.retrieved_by = or_null(note->party),
		.has_parked_ms = true,
		.parked_ms = note->span_ms,
	};

	msg_call_unparked_write(&message, writer);
}

static void write_queued(const struct note *note, struct json_writer *writer)
{
	const struct msg_call_queued message = {
		WITH_CALL(note->call),
		.queue = note->call->queue,
		.has_position = note->call->queue_position > 0,
		.position = note->call->queue_position,
	};

	msg_call_queued_write(&message, writer);
}

static void write_merged(const struct note *note, struct json_writer *writer)
{
	const struct call *call = note->call;
	struct msg_call_merged message = {
		WITH_CALL(call),
		.merged_into = call->merged_into,
		.merged_from_count = call->merged_count,
	};

	for (size_t i = 0; i < call->merged_count; i++)
		message.merged_from[i] = call->merged_from[i];
	msg_call_merged_write(&message, writer);
}

static enum msg_call_recorded_recording recording_word(const char *word)
{
	if (strcmp(word, "started") == 0)
		return MSG_CALL_RECORDED_RECORDING_STARTED;
	if (strcmp(word, "paused") == 0)
		return MSG_CALL_RECORDED_RECORDING_PAUSED;
	return strcmp(word, "resumed") == 0 ? MSG_CALL_RECORDED_RECORDING_RESUMED
					    : MSG_CALL_RECORDED_RECORDING_STOPPED;
}

static void write_recorded(const struct note *note, struct json_writer *writer)
{
	const struct recording *recording = recording_find(note->call, note->party);
	const struct msg_call_recorded message = {
		WITH_CALL(note->call),
		.recording_id = note->party,
		.recording = recording_word(note->word),
		.by = recording != NULL ? or_null(recording->by) : NULL,
	};

	msg_call_recorded_write(&message, writer);
}

static enum msg_call_ended_reason ended_reason(const struct call *call)
{
	if (call->reason != NULL && strcmp(call->reason, "pbx_down") == 0)
		return MSG_CALL_ENDED_REASON_PBX_DOWN;
	if (call->reason != NULL && strcmp(call->reason, "merged") == 0)
		return MSG_CALL_ENDED_REASON_MERGED;
	switch (call->result) {
	case RESULT_BUSY:
		return MSG_CALL_ENDED_REASON_BUSY;
	case RESULT_DECLINED:
		return MSG_CALL_ENDED_REASON_DECLINED;
	case RESULT_NO_ANSWER:
		return MSG_CALL_ENDED_REASON_NO_ANSWER;
	case RESULT_CANCELLED:
		return MSG_CALL_ENDED_REASON_CANCELLED;
	case RESULT_UNREACHABLE:
		return MSG_CALL_ENDED_REASON_UNREACHABLE;
	case RESULT_FAILED:
		return call->cause == 34 ? MSG_CALL_ENDED_REASON_CONGESTION
					 : MSG_CALL_ENDED_REASON_FAILED;
	case RESULT_ABANDONED:
		return MSG_CALL_ENDED_REASON_ABANDONED;
	case RESULT_TIMEOUT:
		return MSG_CALL_ENDED_REASON_TIMEOUT;
	case RESULT_RECONCILED:
		return MSG_CALL_ENDED_REASON_RECONCILED;
	default:
		return MSG_CALL_ENDED_REASON_HANGUP;
	}
}

static void write_ended(const struct note *note, struct json_writer *writer)
{
	const struct call *call = note->call;
	const struct msg_call_ended message = {
		WITH_CALL(call),
		.has_started_at = true,
		.started_at = call->started_at,
		.has_answered_at = call->answered_at != 0,
		.answered_at = call->answered_at,
		.ended_at = call->ended_at,
		.duration_ms = call->ended_at - call->started_at,
		.has_talk_ms = true,
		.talk_ms = call->talk_ms,
		.has_hold_ms = true,
		.hold_ms = call->hold_ms,
		.result = call_result_names[call->result],
		.merged_into = call->merged_into,
		.cause = call->cause,
		.cause_text = call->message != NULL ? call->message : cause_text(call->cause),
		.reason = ended_reason(call),
		.hung_up_by = or_null(call->ended_by_party),
	};

	msg_call_ended_write(&message, writer);
}

static data_fn *const data_writers[] = {
	[NOTE_ORIGINATING] = write_originating,
	[NOTE_DIALING] = write_dialing,
	[NOTE_RINGING] = write_ringing,
	[NOTE_ESTABLISHED] = write_established,
	[NOTE_HELD] = write_held,
	[NOTE_UNHELD] = write_unheld,
	[NOTE_TRANSFERRED] = write_transferred,
	[NOTE_PARKED] = write_parked,
	[NOTE_UNPARKED] = write_unparked,
	[NOTE_QUEUED] = write_queued,
	[NOTE_MERGED] = write_merged,
	[NOTE_RECORDED] = write_recorded,
	[NOTE_ENDED] = write_ended,
};

void event_add(struct model *model, enum model_topic topic, size_t owner,
	       const struct msg_event *event)
{
	struct model_effects *effects = &model->effects;
	struct json_writer writer = json_writer_init(&effects->text);
	size_t offset = effects->text.len;

	if (effects->event_count == model->event_cap) {
		model->event_cap = model->event_cap * 2 + 64;
		effects->events =
			mem_grow(effects->events, model->event_cap * sizeof(*effects->events));
	}
	msg_event_write(event, &writer);
	effects->events[effects->event_count++] =
		(struct model_event){topic, owner, offset, effects->text.len - offset};
}

/* The extension that the event is mainly about. */
static const char *main_extension(const struct note *note)
{
	const struct call *call = note->call;

	if (note->segment != NULL && note->segment->b != NULL && !note->segment->b->external)
		return or_null(note->segment->to);
	if (call->from.extension[0] != '\0')
		return call->from.extension;
	return or_null(call->to.extension);
}

static void tell(struct model *model, const struct note *note)
{
	const struct call *call = note->call;
	char type[40], key[160];
	struct buffer data = {0};
	struct json_writer writer = json_writer_init(&data);
	struct msg_event event = {
		.event_type = type,
		.call_id = call->id,
		.extension = main_extension(note),
		.extensions_count = call->extension_count,
		.pbx = model->settings->pbx,
		.timestamp = model->now,
		.redis_key = key,
	};

	data_writers[note->kind](note, &writer);
	event.data.text = buffer_str(&data);
	for (size_t i = 0; i < call->extension_count; i++)
		event.extensions[i] = call->extensions[i];
	snprintf(type, sizeof(type), "call:%s", note_words[note->kind]);
	snprintf(key, sizeof(key), "call:%s", call->id);
	event_add(model, MODEL_TOPIC_CALL, call->number, &event);
	buffer_free(&data);
}

/* Whom the line is about: the phone that rang or answered, else who did it. */
static const char *about(const struct note *note)
{
	if (note->segment != NULL)
		return or_null(note->segment->to);
	if (note->kind == NOTE_TRANSFERRED)
		return or_null(note->call->transfers[note->transfer].target);
	if (note->kind == NOTE_HELD)
		return or_null(note->call->held_by);
	if (note->kind == NOTE_ENDED)
		return or_null(note->call->ended_by_party);
	return or_null(note->party);
}

static void write_line(struct model *model, const struct note *note)
{
	struct call *call = note->call;
	struct json_writer writer = {&call->timeline, call->timeline_count > 0};
	const char *party = about(note);

	/* The end is told even when there was no more room. */
	if (call->timeline_count >= TIMELINE_MAX && note->kind != NOTE_ENDED)
		return;
	json_begin_object(&writer);
	json_field_int(&writer, "at", model->now);
	json_field_str(&writer, "event", note_words[note->kind]);
	json_field_str(&writer, "state", call_state_names[call->state]);
	if (party != NULL)
		json_field_str(&writer, "party", party);
	json_end_object(&writer);
	call->timeline_count++;
}

void notes_flush(struct model *model)
{
	for (size_t i = 0; i < model->note_count; i++) {
		tell(model, &model->notes[i]);
		write_line(model, &model->notes[i]);
	}
	model->note_count = 0;
}
