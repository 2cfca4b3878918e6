/* After an entry: who is joined with whom, what that makes of the segments, and of the call. */
#include "model_parts.h"

#include "log.h"
#include "mem.h"

#include <string.h>

/* Up and with nobody for so long is being served by the dialplan, not on the way to somebody. */
#define LONE_MS 1000

#define GROUP_MAX 32

static bool may_follow(enum call_state from, enum call_state to)
{
	if (from == CALL_ENDED)
		return false;
	return to != CALL_ORIGINATING;
}

void call_set_state(struct model *model, struct call *call, enum call_state state)
{
	if (call->state == state)
		return;
	if (!may_follow(call->state, state)) {
		model->counters.impossible++;
		log_warn("impossible transition", log_str("call_id", call->id),
			 log_str("from", call_state_names[call->state]),
			 log_str("to", call_state_names[state]));
		return;
	}
	call->state = state;
}

/* Talks with somebody: not merely served by an application. */
static bool is_busy(const struct channel *channel)
{
	const struct segment *segment = segment_talking(channel);

	return segment != NULL && (segment->b != NULL || segment->kind == SEGMENT_CONFERENCE);
}

static void part_segments(struct model *model, struct call *call)
{
	for (size_t i = 0; i < call->segment_count; i++) {
		struct segment *segment = call->segments[i];
		struct channel *a = channel_real(segment->a), *b = channel_real(segment->b);

		if (segment->phase != SEGMENT_TALKING)
			continue;
		if (a != NULL && b != NULL && !channels_joined(a, b))
			segment_part(model, segment);
		else if (segment->kind == SEGMENT_CONFERENCE && a != NULL && a->bridge == NULL)
			segment_close(model, segment, RESULT_ANSWERED, 0);
	}
}

/* What the channel was in before it came together with somebody. */
static void close_earlier_in(struct model *model, struct call *call, struct channel *channel,
			     const struct segment *now)
{
	for (size_t i = 0; i < call->segment_count; i++) {
		struct segment *segment = call->segments[i];
		bool waits = segment->phase == SEGMENT_APART && segment_held(segment) &&
			     now->kind == SEGMENT_CONSULTATION;
		bool dials = segment->phase == SEGMENT_TRYING && segment->b != NULL;

		if (segment == now || !segment_has(segment, channel) || waits || dials ||
		    (segment->phase == SEGMENT_TALKING && segment->b != NULL))
			continue;
		if (segment->phase == SEGMENT_TRYING && segment->kind == SEGMENT_DIAL)
			segment_serve(model, segment, SEGMENT_APPLICATION, channel->up_at);
		segment_close(model, segment, RESULT_ANSWERED, 0);
	}
}

static void close_earlier(struct model *model, struct channel *channel, const struct segment *now)
{
	struct call *origin = channel->origin_call != NULL
				      ? table_get(&model->calls, channel->origin_call)
				      : NULL;

	close_earlier_in(model, channel->call, channel, now);
	if (origin != NULL && origin != channel->call)
		close_earlier_in(model, origin, channel, now);
}

static struct segment *parked_segment(struct call *call, const struct channel *channel)
{
	for (size_t i = call->segment_count; i-- > 0;)
		if (call->segments[i]->kind == SEGMENT_PARK &&
		    call->segments[i]->phase == SEGMENT_TRYING && call->segments[i]->a == channel)
			return call->segments[i];
	return NULL;
}

static struct segment *new_pair(struct model *model, struct channel *x, struct channel *y)
{
	struct call *call = x->call;
	struct segment *parked = parked_segment(call, x);
	enum segment_kind kind = SEGMENT_TRANSFER;

	if (parked == NULL && (parked = parked_segment(call, y)) != NULL)
		x = y, y = channel_real(parked->a) == y ? x : y;
	if (parked != NULL) {
		segment_assign(model, parked, y);
		return parked;
	}
	if (call->adopted && call->segment_count == 0)
		kind = SEGMENT_DIAL;
	return segment_open(model, call, kind, x, y);
}

/* Two phones hear each other. */
static void join_pair(struct model *model, struct channel *x, struct channel *y)
{
	struct segment *segment;

	if (x->serial > y->serial) {
		struct channel *swap = x;

		x = y;
		y = swap;
	}
	segment = segment_between(x->call, x, y);
	if (segment == NULL && x->call != y->call)
		segment = segment_between(y->call, x, y);
	if (segment == NULL && x->call->serial < y->call->serial)
		call_move_channel(model, y, x->call);
	else if (segment == NULL && y->call->serial < x->call->serial)
		call_move_channel(model, x, y->call);
	if (segment == NULL)
		segment = new_pair(model, x, y);
	if (segment == NULL)
		return;
	if (segment->a == NULL)
		segment->a = channel_ref(segment->b == x ? y : x);
	segment_connect(model, segment);
	close_earlier(model, x, segment);
	close_earlier(model, y, segment);
}

static void join_conference(struct model *model, struct channel *channel)
{
	struct segment *segment = segment_unassigned(channel->call, channel);

	if (segment == NULL)
		segment = segment_open(model, channel->call, SEGMENT_CONFERENCE, channel, NULL);
	if (segment == NULL)
		return;
	if (segment->to[0] == '\0')
		model_copy(segment->to, sizeof(segment->to), channel->exten);
	segment_serve(model, segment, SEGMENT_CONFERENCE, model->now);
	close_earlier(model, channel, segment);
}

static void join_channel(struct model *model, struct channel *channel)
{
	struct channel *group[GROUP_MAX];
	struct channel *partner = NULL;
	size_t count;

	if (channel->local || channel->state != CHANNEL_UP || channel->bridge == NULL ||
	    channel->parked || channel->bridge->parking || is_busy(channel))
		return;
	if (channel->bridge->conference) {
		join_conference(model, channel);
		return;
	}
	count = channel_group(channel, group, GROUP_MAX);
	for (size_t i = 0; i < count; i++) {
		if (group[i] == channel || group[i]->state != CHANNEL_UP || group[i]->parked ||
		    is_busy(group[i]))
			continue;
		if (partner == NULL || segment_between(channel->call, channel, group[i]) != NULL)
			partner = group[i];
	}
	if (partner != NULL)
		join_pair(model, channel, partner);
	else if (count > 2)
		join_conference(model, channel);
}

static void join_channels(struct model *model, struct call *call)
{
	/* Joining may move the channel to another call: begin again then. */
	for (struct channel *next, *channel = call->channels; channel != NULL; channel = next) {
		next = channel->call_next;
		join_channel(model, channel);
		if (channel->call != call)
			next = call->channels;
	}
}

static bool is_dialling(const struct channel *channel)
{
	const struct call *call = channel->call;

	for (size_t i = 0; i < call->segment_count; i++)
		if (call->segments[i]->phase == SEGMENT_TRYING && call->segments[i]->b != NULL &&
		    channel_real(call->segments[i]->a) == channel)
			return true;
	return false;
}

static bool is_lone(const struct channel *channel)
{
	const struct channel *other = channel->other;

	if (channel->local || channel->state != CHANNEL_UP || channel->bridge != NULL ||
	    channel->parked || channel->queued || channel->our_hold_at != 0 || other != NULL ||
	    channel->hangup_requested)
		return false;
	return !is_dialling(channel);
}

static void serve(struct model *model, struct channel *channel)
{
	struct segment *segment = segment_unassigned(channel->call, channel);

	if (segment == NULL)
		segment = segment_open(model, channel->call, SEGMENT_APPLICATION, channel, NULL);
	if (segment == NULL)
		return;
	if (segment->to[0] == '\0')
		model_copy(segment->to, sizeof(segment->to), channel->exten);
	if (segment->kind == SEGMENT_APPLICATION)
		segment->started_at = channel->lone_at;
	segment_serve(model, segment, SEGMENT_APPLICATION, channel->lone_at);
	call_set_to(channel->call, segment->to, NULL);
	close_earlier(model, channel, segment);
}

void call_check_by(struct model *model, struct call *call, int64_t at)
{
	if (call->check_at == 0 || at < call->check_at)
		call->check_at = at;
	model_check_by(model, call->check_at);
}

static void settle_lone(struct model *model, struct channel *channel)
{
	struct segment *served = segment_talking(channel);

	if (!is_lone(channel)) {
		channel->lone_at = 0;
		if (served != NULL && served->kind == SEGMENT_APPLICATION)
			segment_close(model, served, RESULT_ANSWERED, 0);
		return;
	}
	if (served != NULL)
		return;
	if (channel->lone_at == 0)
		channel->lone_at = model->now;
	if (model->now - channel->lone_at >= LONE_MS)
		serve(model, channel);
	else
		call_check_by(model, channel->call, channel->lone_at + LONE_MS);
}

static bool has_partner(const struct channel *channel)
{
	const struct call *call = channel->call;

	for (size_t i = 0; i < call->segment_count; i++)
		if (call->segments[i]->b != NULL && segment_has(call->segments[i], channel))
			return true;
	return false;
}

struct model_order *order_new(struct model *model, enum model_order_kind kind)
{
	struct model_effects *effects = &model->effects;
	struct model_order *order;

	effects->orders =
		mem_grow(effects->orders, (effects->order_count + 1) * sizeof(*effects->orders));
	order = &effects->orders[effects->order_count++];
	*order = (struct model_order){.kind = kind};
	return order;
}

struct model_order *order_add(struct model *model, enum model_order_kind kind,
			      const struct channel *channel, const char *recording_id)
{
	struct model_order *order = order_new(model, kind);

	order->channel = mem_strdup(channel->name);
	order->uniqueid = mem_strdup(channel->uniqueid);
	order->call_id = mem_strdup(channel->call->id);
	order->recording_id = mem_strdup(recording_id);
	return order;
}

/* Left alone on our own hold: whoever held it, or was held by it, is gone. */
static void settle_orphan(struct model *model, struct channel *channel)
{
	if (channel->our_hold_at == 0 || channel->orphan || has_partner(channel))
		return;
	channel->orphan = true;
	order_add(model, ORDER_HANG_UP, channel, NULL);
}

static const struct channel *holder(const struct segment *segment)
{
	const struct channel *sides[2] = {segment->a, segment->b};

	for (size_t i = 0; i < 2; i++)
		if (sides[i]->hold_at != 0 || (sides[i]->our_hold_at != 0 && sides[i]->holds))
			return sides[i];
	return sides[0];
}

static const struct segment *held_segment(const struct call *call)
{
	for (size_t i = 0; i < call->segment_count; i++) {
		const struct segment *segment = call->segments[i];

		if ((segment->phase == SEGMENT_TALKING || segment->phase == SEGMENT_APART) &&
		    segment_held(segment))
			return segment;
	}
	return NULL;
}

/* Something goes on: who is merely left over from a hold stays held. */
static bool goes_on(const struct call *call)
{
	for (size_t i = 0; i < call->segment_count; i++)
		if (call->segments[i]->phase == SEGMENT_TRYING ||
		    call->segments[i]->phase == SEGMENT_TALKING)
			return true;
	return false;
}

static void settle_hold(struct model *model, struct call *call)
{
	const struct segment *held = held_segment(call);
	struct note *note;

	if ((held != NULL) == (call->held_since != 0) || (held == NULL && !goes_on(call)))
		return;
	if (held != NULL) {
		call->held_since = model->now;
		model_copy(call->held_by, sizeof(call->held_by), holder(held)->party);
		note_add(model, NOTE_HELD, call);
		return;
	}
	call->hold_ms += model_since(model, call->held_since);
	note = note_add(model, NOTE_UNHELD, call);
	if (note != NULL) {
		note->span_ms = model_since(model, call->held_since);
		model_copy(note->party, sizeof(note->party), call->held_by);
	}
	call->held_since = 0;
	call->held_by[0] = '\0';
}

/* Of each pair: for how long one of the two waited for the other. */
static void settle_segment_holds(struct model *model, struct call *call)
{
	for (size_t i = 0; i < call->segment_count; i++) {
		struct segment *segment = call->segments[i];
		bool held = segment->connected && segment->phase != SEGMENT_CLOSED &&
			    segment_held(segment);

		if (held && segment->hold_since == 0)
			segment->hold_since = model->now;
		else if (!held)
			segment_hold_ends(model, segment);
	}
}

static bool has_segment(const struct call *call, enum segment_phase phase)
{
	for (size_t i = 0; i < call->segment_count; i++)
		if (call->segments[i]->phase == phase)
			return true;
	return false;
}

/* A third party is being asked, or a party is on its way to another one. */
static bool transfers(const struct call *call)
{
	for (size_t i = 0; i < call->segment_count; i++) {
		const struct segment *segment = call->segments[i];
		bool trying = segment->phase == SEGMENT_TRYING;

		if (segment->kind == SEGMENT_CONSULTATION &&
		    (trying || segment->phase == SEGMENT_TALKING))
			return true;
		if (segment->kind == SEGMENT_TRANSFER && trying)
			return true;
	}
	return call->transferring;
}

static bool rings(const struct call *call)
{
	for (size_t i = 0; i < call->segment_count; i++)
		if (call->segments[i]->phase == SEGMENT_TRYING &&
		    call->segments[i]->ringing_at != 0 && !call->segments[i]->own_ring)
			return true;
	return false;
}

static bool any_channel(const struct call *call, bool (*is)(const struct channel *))
{
	for (const struct channel *channel = call->channels; channel != NULL;
	     channel = channel->call_next)
		if (is(channel))
			return true;
	return false;
}

static bool is_parked(const struct channel *channel)
{
	return channel->parked;
}

static bool is_queued(const struct channel *channel)
{
	return channel->queued;
}

/* Its own phone has not been answered yet. */
static bool is_originating(const struct call *call)
{
	if (!call->originated || !call->begun)
		return call->originated;
	return call->origin != NULL && channel_real(call->origin)->state != CHANNEL_UP;
}

static enum call_state state_of(const struct call *call)
{
	if (transfers(call))
		return CALL_TRANSFERRING;
	if (call->held_since != 0)
		return CALL_HELD;
	if (call->talking > 0)
		return CALL_ESTABLISHED;
	if (any_channel(call, is_parked))
		return CALL_PARKED;
	if (any_channel(call, is_queued))
		return CALL_QUEUED;
	if (rings(call))
		return CALL_RINGING;
	if (has_segment(call, SEGMENT_APART) || has_segment(call, SEGMENT_TALKING))
		return CALL_ESTABLISHED;
	if (call->state == CALL_ORIGINATING && is_originating(call))
		return CALL_ORIGINATING;
	return call->state == CALL_ORIGINATING || call->state == CALL_RINGING ? CALL_DIALING
									      : call->state;
}

void call_settle(struct model *model, struct call *call)
{
	if (call->state == CALL_ENDED)
		return;
	part_segments(model, call);
	join_channels(model, call);
	for (struct channel *channel = call->channels; channel != NULL;
	     channel = channel->call_next) {
		settle_lone(model, channel);
		settle_orphan(model, channel);
	}
	settle_hold(model, call);
	settle_segment_holds(model, call);
	recordings_settle(model, call);
	if (call->channel_count == 0 && call->deadline_at == 0)
		call_end(model, call, RESULT_NONE, call->merged_into != NULL ? "merged" : NULL);
	else
		call_set_state(model, call, state_of(call));
}
