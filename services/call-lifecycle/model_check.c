#include "model_check.h"

#include "model_parts.h"

#include <string.h>

struct check {
	struct buffer *faults;
	size_t count;
	const char *id; /* of the call under test */
};

static void fault(struct check *check, const char *text, const char *what)
{
	check->count++;
	buffer_printf(check->faults, "%s: %s %s\n", check->id, text, what);
}

static void check_channel(struct check *check, const struct model *model, const struct call *call,
			  const struct channel *channel)
{
	bool in_bridge = channel->bridge == NULL;

	if (channel->call != call)
		fault(check, "channel of another call", channel->name);
	if (table_get(&model->channels, channel->uniqueid) != channel)
		fault(check, "channel not in the table", channel->name);
	if (channel->bridge != NULL)
		for (const struct channel *with = channel->bridge->channels; with != NULL;
		     with = with->bridge_next)
			in_bridge = in_bridge || with == channel;
	if (!in_bridge)
		fault(check, "channel not in its bridge", channel->name);
	if (channel->other != NULL && channel->other->other != channel)
		fault(check, "Local half without the other", channel->name);
}

static void check_segment(struct check *check, const struct segment *segment, int64_t now)
{
	int64_t end = segment->ended_at != 0 ? segment->ended_at : now;

	if (segment->phase == SEGMENT_CLOSED &&
	    (segment->ended_at == 0 || segment->result == RESULT_NONE))
		fault(check, "segment ended without a result", segment->to);
	if (segment->ended_at != 0 && segment->ended_at < segment->started_at)
		fault(check, "segment ended before it began", segment->to);
	if (segment->answered_at > end || segment->ringing_at > end)
		fault(check, "segment answered after its end", segment->to);
	if (segment->talk_ms < 0 || segment->talk_ms > end - segment->started_at)
		fault(check, "more talk than segment", segment->to);
	if (segment->talk_since != 0 && segment->phase != SEGMENT_TALKING)
		fault(check, "talk without talking", segment->to);
}

/* No phone hears two others in segments of its own, unless it is in a conference. */
static void check_talkers(struct check *check, const struct call *call)
{
	for (const struct channel *channel = call->channels; channel != NULL;
	     channel = channel->call_next) {
		size_t talks = 0;

		for (size_t i = 0; i < call->segment_count; i++)
			if (call->segments[i]->phase == SEGMENT_TALKING &&
			    call->segments[i]->b != NULL && segment_has(call->segments[i], channel))
				talks++;
		if (talks > 1)
			fault(check, "channel talks twice", channel->name);
	}
}

static void check_times(struct check *check, const struct call *call, int64_t end)
{
	if (call->talk_ms < 0 || call->talk_ms > end - call->started_at)
		fault(check, "more talk than call", "");
	if (call->hold_ms < 0 || call->hold_ms > end - call->started_at)
		fault(check, "more hold than call", "");
}

/* Of the effects: nobody can add to it any more. */
static void check_ended(struct check *check, const struct call *call)
{
	if (call->channel_count > 0 || call->segments_open > 0)
		fault(check, "ended with channels or open segments", "");
	if (call->result == RESULT_NONE || call->ended_at < call->started_at)
		fault(check, "ended without a result or an end", "");
	for (size_t i = 0; i < call->segment_count; i++) {
		check_segment(check, call->segments[i], call->ended_at);
		if (call->segments[i]->ended_at > call->ended_at)
			fault(check, "segment outlived its call", call->segments[i]->to);
	}
	check_times(check, call, call->ended_at);
}

/* Every line of a phone is a channel, and the call that is shown for it one that it is on. */
static void check_agents(struct check *check, const struct model *model)
{
	size_t cursor = 0, lines = 0, ours = 0;

	for (const struct agent *agent; (agent = table_next(&model->agents, &cursor)) != NULL;) {
		lines += agent->lines;
		if (agent->lines == 0 && agent->call_id != NULL)
			fault(check, "agent on a call without a channel", agent->extension);
	}
	cursor = 0;
	for (const struct channel *channel;
	     (channel = table_next(&model->channels, &cursor)) != NULL;) {
		const struct agent *agent = table_get(&model->agents, channel->party);

		if (channel->local || channel->external || channel->party[0] == '\0')
			continue;
		ours++;
		if (agent == NULL || (agent->lines == 1 && agent->call_id != NULL &&
				      strcmp(agent->call_id, channel->call->id) != 0))
			fault(check, "agent shown on another call", channel->party);
	}
	if (lines != ours)
		fault(check, "lines of agents miscounted", "");
}

static void check_call(struct check *check, const struct model *model, const struct call *call)
{
	size_t channels = 0, open = 0;
	unsigned talking = 0;

	for (const struct channel *channel = call->channels; channel != NULL;
	     channel = channel->call_next, channels++)
		check_channel(check, model, call, channel);
	if (channels != call->channel_count)
		fault(check, "channels miscounted", "");
	if (channels == 0 && call->deadline_at == 0)
		fault(check, "live call without a channel", "");
	for (size_t i = 0; i < call->segment_count; i++) {
		const struct segment *segment = call->segments[i];

		check_segment(check, segment, model->now);
		open += segment->phase != SEGMENT_CLOSED;
		talking += segment->phase == SEGMENT_TALKING && segment->talk_since != 0;
	}
	if (open != call->segments_open || talking != call->talking)
		fault(check, "segments miscounted", "");
	check_times(check, call, model->now);
	if (call->state == CALL_ENDED)
		fault(check, "ended call among the live ones", "");
	check_talkers(check, call);
}

size_t model_check(const struct model *model, struct buffer *faults_r)
{
	struct check check = {faults_r, 0, ""};
	size_t cursor = 0, channels = 0;

	for (const struct call *call; (call = table_next(&model->calls, &cursor)) != NULL;) {
		check.id = call->id;
		check_call(&check, model, call);
		channels += call->channel_count;
	}
	check.id = "model";
	if (channels != model->channels.used || channels != model->channel_count)
		fault(&check, "channels without a call", "");
	for (size_t i = 0; i < model->effects.call_count; i++) {
		check.id = model->effects.calls[i]->id;
		if (model->effects.calls[i]->state == CALL_ENDED)
			check_ended(&check, model->effects.calls[i]);
	}
	check.id = "model";
	check_agents(&check, model);
	return check.count;
}
