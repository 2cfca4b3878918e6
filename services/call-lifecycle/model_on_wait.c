/* Queues and parking: callers that wait. */
#include "model_parts.h"

#include "mem.h"

#include <stdlib.h>
#include <string.h>

static struct segment *waiting(struct channel *channel, enum segment_kind kind)
{
	struct call *call = channel->call;

	for (size_t i = call->segment_count; i-- > 0;)
		if (call->segments[i]->kind == kind && call->segments[i]->a == channel &&
		    call->segments[i]->phase == SEGMENT_TRYING && call->segments[i]->b == NULL)
			return call->segments[i];
	return NULL;
}

static void end_served(struct model *model, struct channel *channel)
{
	struct segment *served = segment_talking(channel);

	if (served != NULL && served->b == NULL)
		segment_close(model, served, RESULT_ANSWERED, 0);
}

void on_queue_join(struct model *model)
{
	struct channel *channel = channel_current(model);
	const char *queue = entry_text(&model->entry, ENTRY_QUEUE);
	struct segment *segment;
	struct call *call;

	if (channel == NULL || queue == NULL || channel->queued)
		return;
	call = channel->call;
	channel->queued = true;
	end_served(model, channel);
	segment = segment_unassigned(call, channel);
	if (segment == NULL) {
		segment = segment_open(model, call, SEGMENT_QUEUE, channel, NULL);
		if (segment != NULL)
			model_copy(segment->to, sizeof(segment->to), channel->exten);
	}
	if (segment != NULL)
		segment->kind = SEGMENT_QUEUE;
	call->transferring = false;
	model_copy(call->queue, sizeof(call->queue), queue);
	call->queue_outcome[0] = '\0';
	call->queue_joined_at = model->now;
	call->queue_wait_ms = 0;
	call->queue_position = (int)entry_int(&model->entry, ENTRY_POSITION, 1);
	if (segment != NULL) {
		free(segment->queue);
		segment->queue = mem_strdup(queue);
		segment->joined_at = model->now;
	}
	queue_caller_joined(model, channel, queue, call->queue_position);
	note_add(model, NOTE_QUEUED, call);
}

static void leave_queue(struct model *model, struct channel *channel, enum call_result result)
{
	struct call *call = channel->call;
	struct segment *segment = waiting(channel, SEGMENT_QUEUE);

	if (!channel->queued)
		return;
	channel->queued = false;
	queue_caller_left(model, channel, call_result_names[result]);
	call->queue_wait_ms = model_since(model, call->queue_joined_at);
	model_copy(call->queue_outcome, sizeof(call->queue_outcome), call_result_names[result]);
	if (segment == NULL)
		return;
	if (result == RESULT_ANSWERED)
		segment_answer(model, segment);
	segment_close(model, segment, result, 0);
}

static bool is_answered(const struct channel *channel)
{
	const struct call *call = channel->call;

	for (size_t i = 0; i < call->segment_count; i++) {
		const struct segment *segment = call->segments[i];

		if (segment->phase != SEGMENT_CLOSED && segment->b != NULL &&
		    segment->a == channel && segment->answered_at != 0)
			return true;
	}
	return false;
}

/* Asterisk calls a time-out abandoned too; who gave up has asked for a hang-up before. */
static enum call_result gave_up(const struct channel *channel)
{
	return channel->hangup_requested ? RESULT_ABANDONED : RESULT_TIMEOUT;
}

void on_queue_leave(struct model *model)
{
	struct channel *channel = channel_current(model);

	if (channel != NULL)
		leave_queue(model, channel,
			    is_answered(channel) ? RESULT_ANSWERED : gave_up(channel));
}

void on_queue_abandon(struct model *model)
{
	struct channel *channel = channel_current(model);

	if (channel != NULL)
		leave_queue(model, channel, gave_up(channel));
}

/* "PJSIP/1002" is 1002. */
static const char *device_party(const char *device)
{
	const char *slash = device != NULL ? strchr(device, '/') : NULL;

	return slash != NULL ? slash + 1 : "";
}

static void close_talk(struct model *model, struct channel *channel)
{
	struct call *call = channel->call;

	for (size_t i = 0; i < call->segment_count; i++) {
		struct segment *segment = call->segments[i];

		if (segment->b != NULL && segment->answered_at != 0 &&
		    segment_has(segment, channel))
			segment_close(model, segment, RESULT_ANSWERED, 0);
	}
}

void on_parked_call(struct model *model)
{
	struct entry *entry = &model->entry;
	struct channel *channel = channel_of(model, ENTRY_PARKEE_UNIQUEID, ENTRY_PARKEE_CHANNEL);
	const char *space = entry_text(entry, ENTRY_PARKING_SPACE);
	const char *lot = entry_text(entry, ENTRY_PARKING_LOT);
	struct segment *segment;
	struct note *note;
	struct call *call;

	if (channel == NULL || space == NULL || channel->parked)
		return;
	call = channel->call;
	channel->parked = true;
	call->transferring = false;
	call->parked_at = model->now;
	model_copy(call->park_space, sizeof(call->park_space), space);
	model_copy(call->park_lot, sizeof(call->park_lot), lot != NULL ? lot : "");
	end_served(model, channel);
	close_talk(model, channel);
	segment = segment_open(model, call, SEGMENT_PARK, channel, NULL);
	if (segment != NULL)
		model_copy(segment->to, sizeof(segment->to), space);
	note = note_add(model, NOTE_PARKED, call);
	if (note == NULL)
		return;
	note->span_ms = entry_int(entry, ENTRY_PARKING_TIMEOUT, 0) * 1000;
	model_copy(note->party, sizeof(note->party),
		   device_party(entry_text(entry, ENTRY_PARKER_DIAL_STRING)));
}

static void unpark(struct model *model, const char *word, enum call_result result, const char *by)
{
	struct channel *channel = channel_of(model, ENTRY_PARKEE_UNIQUEID, ENTRY_PARKEE_CHANNEL);
	struct segment *segment;
	struct note *note;

	if (channel == NULL || !channel->parked)
		return;
	channel->parked = false;
	segment = waiting(channel, SEGMENT_PARK);
	/* The segment of one that is retrieved goes on with the retriever. */
	if (segment != NULL && result != RESULT_ANSWERED)
		segment_close(model, segment, result, 0);
	call_touch(model, channel->call);
	note = note_add(model, NOTE_UNPARKED, channel->call);
	if (note == NULL)
		return;
	note->word = word;
	note->span_ms = model_since(model, channel->call->parked_at);
	model_copy(note->party, sizeof(note->party), by);
}

void on_unparked_call(struct model *model)
{
	struct channel *by = channel_of(model, ENTRY_RETRIEVER_UNIQUEID, ENTRY_RETRIEVER_CHANNEL);

	unpark(model, "retrieved", RESULT_ANSWERED, by != NULL ? by->party : "");
}

void on_parked_call_timeout(struct model *model)
{
	unpark(model, "timeout", RESULT_TIMEOUT, "");
}

void on_parked_call_gave_up(struct model *model)
{
	unpark(model, "gave_up", RESULT_ABANDONED, "");
}
