#include "model_parts.h"

#include "mem.h"

#include <string.h>

struct segment *segment_open(struct model *model, struct call *call, enum segment_kind kind,
			     struct channel *a, struct channel *b)
{
	struct segment *segment;

	if (call->segment_count >= SEGMENTS_MAX) {
		model->counters.overflow++;
		return NULL;
	}
	segment = mem_new(struct segment);
	segment->call = call;
	segment->kind = kind;
	segment->started_at = model->now;
	if (a != NULL && a->queued)
		segment->queue = mem_strdup(call->queue);
	segment->a = channel_ref(a);
	segment->b = channel_ref(b);
	if (a != NULL)
		model_copy(segment->from, sizeof(segment->from), a->party);
	if (b != NULL)
		model_copy(segment->to, sizeof(segment->to), b->party);
	if ((call->segment_count & (call->segment_count - 1)) == 0)
		call->segments = mem_grow(call->segments,
					  (call->segment_count * 2 + 1) * sizeof(*call->segments));
	call->segments[call->segment_count++] = segment;
	call->segments_open++;
	call_touch(model, call);
	return segment;
}

bool segment_has(const struct segment *segment, const struct channel *channel)
{
	return segment->phase != SEGMENT_CLOSED &&
	       (channel_real(segment->a) == channel || channel_real(segment->b) == channel ||
		segment->a == channel || segment->b == channel);
}

struct segment *segment_to(struct call *call, const struct channel *channel)
{
	for (size_t i = call->segment_count; i-- > 0;) {
		struct segment *segment = call->segments[i];

		if (segment->phase != SEGMENT_CLOSED && segment->b != NULL &&
		    (segment->b == channel || channel_real(segment->b) == channel))
			return segment;
	}
	return NULL;
}

struct segment *segment_unassigned(struct call *call, const struct channel *channel)
{
	for (size_t i = call->segment_count; i-- > 0;) {
		struct segment *segment = call->segments[i];

		if (segment->phase == SEGMENT_TRYING && segment->b == NULL &&
		    (segment->kind == SEGMENT_DIAL || segment->kind == SEGMENT_TRANSFER) &&
		    segment->a != NULL &&
		    (segment->a == channel || channel_real(segment->a) == channel))
			return segment;
	}
	return NULL;
}

static bool joins(const struct segment *segment, const struct channel *x, const struct channel *y)
{
	const struct channel *a = channel_real(segment->a);
	const struct channel *b = channel_real(segment->b);

	if (a == x)
		return b == y;
	if (b != x)
		return false;
	/* The caller behind a Local pair may not be known before they meet. */
	return a == y || (a == NULL && strcmp(segment->from, y->party) == 0);
}

struct segment *segment_between(struct call *call, const struct channel *x, const struct channel *y)
{
	for (size_t i = call->segment_count; i-- > 0;) {
		struct segment *segment = call->segments[i];

		if (segment->phase != SEGMENT_CLOSED && segment->b != NULL &&
		    (joins(segment, x, y) || joins(segment, y, x)))
			return segment;
	}
	return NULL;
}

struct segment *segment_talking(const struct channel *channel)
{
	struct call *call = channel->call;

	for (size_t i = call->segment_count; i-- > 0;)
		if (call->segments[i]->phase == SEGMENT_TALKING &&
		    segment_has(call->segments[i], channel))
			return call->segments[i];
	return NULL;
}

void segment_assign(struct model *model, struct segment *segment, struct channel *b)
{
	channel_unref(&segment->b);
	segment->b = channel_ref(b);
	if (b->party[0] != '\0')
		model_copy(segment->to, sizeof(segment->to), b->party);
	call_touch(model, segment->call);
}

void segment_ring(struct model *model, struct segment *segment)
{
	struct call *call = segment->call;
	struct note *note;

	if (segment->phase != SEGMENT_TRYING || (segment->ringing_at != 0 && !segment->own_ring))
		return;
	if (call->ringing_at == 0 || segment->own_ring)
		call->ringing_at = model->now;
	segment->ringing_at = model->now;
	segment->own_ring = false;
	note = note_add(model, NOTE_RINGING, call);
	if (note != NULL)
		note->segment = segment;
}

void segment_answer(struct model *model, struct segment *segment)
{
	if (segment->answered_at == 0)
		segment->answered_at = model->now;
	segment->result = RESULT_ANSWERED;
}

void segment_serve(struct model *model, struct segment *segment, enum segment_kind kind,
		   int64_t since)
{
	segment->kind = kind;
	segment->phase = SEGMENT_TALKING;
	segment->result = RESULT_ANSWERED;
	if (segment->answered_at == 0)
		segment->answered_at = since;
	call_touch(model, segment->call);
}

/* Both parties are known: only such a segment counts as talk. */
static bool is_talk(const struct segment *segment)
{
	return segment->a != NULL && segment->b != NULL;
}

void segment_connect(struct model *model, struct segment *segment)
{
	struct call *call = segment->call;
	struct note *note;

	if (segment->phase == SEGMENT_TALKING)
		return;
	segment->phase = SEGMENT_TALKING;
	segment->talk_since = model->now;
	segment_answer(model, segment);
	if (call->talking++ == 0)
		call->talk_since = model->now;
	if (call->answered_at == 0 && segment->kind != SEGMENT_CONSULTATION)
		call->answered_at = segment->answered_at;
	if (!segment->connected) {
		agent_connected(model, segment);
		note = note_add(model, NOTE_ESTABLISHED, call);
		if (note != NULL)
			note->segment = segment;
	}
	segment->connected = true;
	call_touch(model, call);
}

/* Who puts the other side on hold and then leaves was not talking any more; who is cut off while
   holding was still on the call. */
static int64_t talk_end(const struct model *model, const struct segment *segment)
{
	int64_t end = model->now;
	const struct channel *sides[2] = {segment->a, segment->b};

	if (segment->a->hangup_requested || segment->b->hangup_requested)
		return end;
	for (size_t i = 0; i < 2; i++)
		if (sides[i]->hold_at > segment->talk_since && sides[i]->hold_at < end)
			end = sides[i]->hold_at;
	return end;
}

void segment_part(struct model *model, struct segment *segment)
{
	struct call *call = segment->call;
	int64_t end;

	if (segment->phase != SEGMENT_TALKING)
		return;
	segment->phase = SEGMENT_APART;
	segment->apart_at = model->now;
	call_touch(model, call);
	if (!is_talk(segment) || segment->talk_since == 0)
		return;
	end = talk_end(model, segment);
	if (end > segment->talk_since) {
		segment->talk_ms += end - segment->talk_since;
		agent_talked(model, segment, end - segment->talk_since);
	}
	segment->talk_since = 0;
	if (--call->talking == 0 && end > call->talk_since)
		call->talk_ms += end - call->talk_since;
}

/* One side waits for the other: by its phone, or by our own hold. */
bool segment_held(const struct segment *segment)
{
	const struct channel *a = segment->a, *b = segment->b;

	return a != NULL && b != NULL &&
	       (a->hold_at != 0 || b->hold_at != 0 || a->our_hold_at != 0 || b->our_hold_at != 0);
}

void segment_hold_ends(struct model *model, struct segment *segment)
{
	if (segment->hold_since == 0)
		return;
	segment->hold_ms += model_since(model, segment->hold_since);
	segment->hold_since = 0;
}

void segment_close(struct model *model, struct segment *segment, enum call_result result, int cause)
{
	if (segment->phase == SEGMENT_CLOSED)
		return;
	segment_part(model, segment);
	segment->ended_at = segment->phase == SEGMENT_APART && !segment_held(segment)
				    ? segment->apart_at
				    : model->now;
	segment->phase = SEGMENT_CLOSED;
	segment_hold_ends(model, segment);
	segment->call->segments_open--;
	if (segment->result == RESULT_NONE)
		segment->result = result;
	if (segment->cause == 0)
		segment->cause = cause;
	call_touch(model, segment->call);
}

enum call_result result_of_cause(int cause)
{
	switch (cause) {
	case 17:
		return RESULT_BUSY;
	case 21:
		return RESULT_DECLINED;
	case 18:
	case 19:
		return RESULT_NO_ANSWER;
	case 1:
	case 2:
	case 3:
	case 20:
	case 27:
		return RESULT_UNREACHABLE;
	case 26:
		return RESULT_CANCELLED;
	default:
		return RESULT_FAILED;
	}
}

/* The dialled phone's own cause says more than the status of the dial. */
static void refine(struct segment *segment, int cause)
{
	if (segment->result == RESULT_ANSWERED || cause <= 0)
		return;
	if (segment->cause == 0)
		segment->cause = cause;
	if (segment->result == RESULT_NO_ANSWER || segment->result == RESULT_FAILED)
		if (cause == 17 || cause == 21 || result_of_cause(cause) == RESULT_UNREACHABLE)
			segment->result = result_of_cause(cause);
}

/* Nobody was reached, and this side is gone. */
static enum call_result unanswered(const struct channel *channel, const struct segment *segment)
{
	bool caller = segment->a == channel;
	int cause = channel->cause;

	if (!caller)
		return cause == 16 || cause == 0 ? RESULT_NO_ANSWER : result_of_cause(cause);
	if (segment->b != NULL)
		return RESULT_CANCELLED;
	if (channel->originated && channel->state != CHANNEL_UP) {
		if (segment->call->no_answer || cause == 0 || cause == 127)
			return RESULT_NO_ANSWER;
		return cause == 16 ? RESULT_CANCELLED : result_of_cause(cause);
	}
	if (channel->hangup_requested && cause != 17 && cause != 21)
		return RESULT_CANCELLED;
	return result_of_cause(cause);
}

/* It was up, dialled nobody, and ended as calls end: the dialplan served it. */
static bool was_served(const struct segment *segment, const struct channel *channel)
{
	return segment->phase == SEGMENT_TRYING && segment->a == channel && segment->b == NULL &&
	       segment->kind == SEGMENT_DIAL && channel->state == CHANNEL_UP &&
	       (channel->cause == 16 || channel->cause == 0);
}

/* A Local half went away, optimized out: the phone behind it stays. */
static bool stands_on(struct segment *segment, struct channel *channel)
{
	struct channel **side = segment->a == channel ? &segment->a : &segment->b;

	if (channel->real == NULL || channel->real->call == NULL)
		return false;
	channel_ref(channel->real);
	channel_unref(side);
	*side = channel->real;
	return true;
}

/* The caller of a dial went up while nobody saw. */
static bool went_up_unseen(const struct model *model, const struct segment *segment)
{
	const struct channel *caller = segment->a;

	return caller != NULL && !caller->local && !caller->originated &&
	       segment->started_at < model->unsure_at && caller->up_at >= model->unsure_at;
}

/* Its last words say that it was up, and while nobody saw it went there: somebody had answered. */
static void answer_unseen(struct model *model, struct segment *segment,
			  const struct channel *channel)
{
	bool callee_up = segment->b == channel && !channel->local && channel->state == CHANNEL_UP;
	int64_t end = segment->phase == SEGMENT_CLOSED ? segment->ended_at : model->now;

	if (!model_is_stale(model) || segment->result == RESULT_ANSWERED ||
	    (segment->kind != SEGMENT_DIAL && segment->kind != SEGMENT_TRANSFER) ||
	    (!callee_up && !went_up_unseen(model, segment)))
		return;
	segment->result = RESULT_ANSWERED;
	if (segment->answered_at == 0)
		segment->answered_at = end;
	if (segment->call->answered_at == 0)
		segment->call->answered_at = end;
	call_touch(model, segment->call);
}

static void side_gone(struct model *model, struct segment *segment, struct channel *channel)
{
	if (segment->a != channel && segment->b != channel)
		return;
	if (stands_on(segment, channel))
		return;
	answer_unseen(model, segment, channel);
	if (segment->b == channel)
		refine(segment, channel->cause);
	if (was_served(segment, channel))
		segment_serve(model, segment, SEGMENT_APPLICATION, channel->up_at);
	segment_close(model, segment, unanswered(channel, segment), channel->cause);
	if (segment->a == channel)
		channel_unref(&segment->a);
	if (segment->b == channel)
		channel_unref(&segment->b);
}

static void call_side_gone(struct model *model, struct call *call, struct channel *channel)
{
	for (size_t i = 0; call != NULL && i < call->segment_count; i++)
		side_gone(model, call->segments[i], channel);
}

void segments_channel_gone(struct model *model, struct channel *channel)
{
	struct call *origin = channel->origin_call != NULL
				      ? table_get(&model->calls, channel->origin_call)
				      : NULL;

	call_side_gone(model, channel->call, channel);
	if (origin != channel->call)
		call_side_gone(model, origin, channel);
}
