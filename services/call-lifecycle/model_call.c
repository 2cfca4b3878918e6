#include "model_parts.h"

#include "mem.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* A call of this linkedid was told as ended: what goes on is told as another one, so that each id
   ends once. */
static bool has_ended(const struct model *model, const char *linkedid)
{
	return table_get(&model->lost, linkedid) != NULL ||
	       table_get(&model->ended_ids, linkedid) != NULL;
}

struct call *call_new(struct model *model, const char *linkedid, enum call_state state)
{
	struct call *call = mem_new(struct call);

	call->serial = ++model->serial;
	call->linkedid = mem_strdup(linkedid);
	if (has_ended(model, linkedid))
		call->id = mem_printf("%s-%" PRIu64, linkedid, call->serial);
	else
		call->id = mem_strdup(linkedid);
	call->state = state;
	call->started_at = model->now;
	table_put(&model->calls, call->linkedid, call);
	call_touch(model, call);
	return call;
}

static void free_strings(char **strings, size_t count)
{
	for (size_t i = 0; i < count; i++)
		free(strings[i]);
	free(strings);
}

void call_free(struct call **freed)
{
	struct call *call = *freed;

	*freed = NULL;
	if (call == NULL)
		return;
	for (size_t i = 0; i < call->segment_count; i++) {
		channel_unref(&call->segments[i]->a);
		channel_unref(&call->segments[i]->b);
		free(call->segments[i]->queue);
		free(call->segments[i]);
	}
	free(call->segments);
	channel_unref(&call->origin);
	free_strings(call->extensions, call->extension_count);
	free_strings(call->merged_from, call->merged_count);
	for (size_t i = 0; i < call->recording_count; i++) {
		channel_unref(&call->recordings[i].on);
		free(call->recordings[i].heard);
	}
	free(call->recordings);
	free(call->transfers);
	free(call->from.name);
	free(call->to.name);
	free(call->trunk);
	free(call->merged_into);
	free(call->message);
	free(call->action_id);
	free(call->requested_by);
	buffer_free(&call->timeline);
	free(call->id);
	free(call->linkedid);
	free(call);
}

static void mark_changed(struct model *model, struct call *call)
{
	struct model_effects *effects = &model->effects;

	if (call->changed)
		return;
	call->changed = true;
	if (effects->call_count == model->call_cap) {
		model->call_cap = model->call_cap * 2 + 64;
		effects->calls =
			mem_grow(effects->calls, model->call_cap * sizeof(*effects->calls));
	}
	call->number = effects->call_count;
	effects->calls[effects->call_count++] = call;
}

void call_touch(struct model *model, struct call *call)
{
	if (call == NULL)
		return;
	mark_changed(model, call);
	if (call->touched)
		return;
	/* A list that touches more settles the rest by itself: see on_snapshot_end(). */
	if (model->touched_count == TOUCHED_MAX)
		return;
	call->touched = true;
	model->touched[model->touched_count++] = call;
}

bool call_has_extension(const struct call *call, const char *extension)
{
	for (size_t i = 0; i < call->extension_count; i++)
		if (strcmp(call->extensions[i], extension) == 0)
			return true;
	return false;
}

void call_add_extension(struct call *call, const char *extension)
{
	if (call_has_extension(call, extension))
		return;
	if (call->extension_count == EXTENSIONS_MAX || extension[0] == '\0')
		return;
	if (call->extensions == NULL)
		call->extensions = mem_array(char *, EXTENSIONS_MAX);
	call->extensions[call->extension_count++] = mem_strdup(extension);
}

void call_add_channel(struct model *model, struct call *call, struct channel *channel)
{
	channel->call = call;
	channel->call_next = call->channels;
	call->channels = channel;
	call->channel_count++;
	if (!channel->local && !channel->external)
		call_add_extension(call, channel->party);
	else if (channel->external && call->trunk == NULL)
		call->trunk = channel_endpoint(channel);
	if (!call->begun)
		call->origin = channel_ref(channel);
	call->begun = true;
	call_touch(model, call);
}

/* The phone behind a Local half that was optimized out is the first one then. */
void call_origin_gone(struct call *call, const struct channel *channel)
{
	struct channel *real = channel->real;

	if (call == NULL || call->origin != channel)
		return;
	if (real != NULL && real->call != NULL)
		channel_ref(real);
	else
		real = NULL;
	channel_unref(&call->origin);
	call->origin = real;
}

void call_remove_channel(struct call *call, struct channel *channel)
{
	struct channel **link = &call->channels;

	while (*link != channel)
		link = &(*link)->call_next;
	*link = channel->call_next;
	channel->call_next = NULL;
	channel->call = NULL;
	call->channel_count--;
}

struct call *call_of_linkedid(const struct model *model, const char *linkedid)
{
	struct call *call = table_get(&model->calls, linkedid);

	return call != NULL ? call : table_get(&model->merged, linkedid);
}

bool call_add_merged(struct model *model, struct call *call, const char *id)
{
	char *kept;

	for (size_t i = 0; i < call->merged_count; i++)
		if (strcmp(call->merged_from[i], id) == 0)
			return false;
	if (call->merged_count == MERGED_MAX || strcmp(call->id, id) == 0)
		return false;
	if (call->merged_from == NULL)
		call->merged_from = mem_array(char *, MERGED_MAX);
	kept = mem_strdup(id);
	call->merged_from[call->merged_count++] = kept;
	table_put(&model->merged, kept, call);
	return true;
}

static void note_merge(struct model *model, struct call *from, struct call *to)
{
	struct note *note;

	if (from->merged_into == NULL)
		from->merged_into = mem_strdup(to->id);
	for (size_t i = 0; i < from->merged_count; i++)
		(void)call_add_merged(model, to, from->merged_from[i]);
	if (!call_add_merged(model, to, from->id))
		return;
	for (size_t i = 0; i < from->extension_count; i++)
		call_add_extension(to, from->extensions[i]);
	note = note_add(model, NOTE_MERGED, to);
	if (note != NULL)
		model_copy(note->party, sizeof(note->party), from->from.number);
}

/* Its segments stay where they began. */
void call_move_channel(struct model *model, struct channel *channel, struct call *to)
{
	struct call *from = channel->call;

	note_merge(model, from, to);
	recordings_move(from, channel, to);
	call_remove_channel(from, channel);
	free(channel->origin_call);
	channel->origin_call = mem_strdup(from->linkedid);
	call_add_channel(model, to, channel);
	agent_channel_moved(model, channel);
	call_touch(model, from);
}

/* The numbers of an outsider are what the network said; ours are our extensions. */
void call_set_from(struct model *model, struct call *call, const struct channel *channel)
{
	const char *name = channel->caller_name;

	(void)model;
	model_copy(call->from.number, sizeof(call->from.number), channel->party);
	model_copy(call->from.extension, sizeof(call->from.extension),
		   channel->external ? "" : channel->party);
	free(call->from.name);
	call->from.name = mem_strdup(name);
	if (channel->external)
		call->direction = DIRECTION_INBOUND;
	else
		call_add_extension(call, channel->party);
}

void call_set_to(struct call *call, const char *number, const struct channel *channel)
{
	if (call->to.number[0] == '\0' && number != NULL)
		model_copy(call->to.number, sizeof(call->to.number), number);
	if (channel == NULL)
		return;
	if (channel->external && call->direction == DIRECTION_INTERNAL)
		call->direction = DIRECTION_OUTBOUND;
	if (channel->external || call->to.extension[0] != '\0' || call->queue[0] != '\0')
		return;
	model_copy(call->to.extension, sizeof(call->to.extension), channel->party);
	if (call->to.name == NULL)
		call->to.name = mem_strdup(channel->caller_name);
}

void call_add_transfer(struct model *model, struct call *call, const char *kind, const char *by,
		       const char *transferee, const char *target)
{
	struct transfer *transfer;
	struct note *note;

	if (call->transfer_count == TRANSFERS_MAX)
		return;
	call->transfers =
		mem_grow(call->transfers, (call->transfer_count + 1) * sizeof(*call->transfers));
	transfer = &call->transfers[call->transfer_count];
	*transfer = (struct transfer){.at = model->now, .kind = kind};
	model_copy(transfer->by, sizeof(transfer->by), by);
	model_copy(transfer->transferee, sizeof(transfer->transferee), transferee);
	model_copy(transfer->target, sizeof(transfer->target), target);
	note = note_add(model, NOTE_TRANSFERRED, call);
	if (note != NULL)
		note->transfer = call->transfer_count;
	call->transfer_count++;
	call_touch(model, call);
}

void call_dials(struct model *model, struct call *call)
{
	if (call->dialled)
		return;
	call->dialled = true;
	note_add(model, NOTE_DIALING, call);
}

/* What the whole call came to: somebody answered; else what the queue says; else the last try. */
static enum call_result result_of(const struct call *call)
{
	enum call_result queue = RESULT_NONE, served = RESULT_NONE, last = RESULT_NONE;

	for (size_t i = 0; i < call->segment_count; i++) {
		const struct segment *segment = call->segments[i];

		if (segment->kind == SEGMENT_QUEUE && segment->result != RESULT_ANSWERED)
			queue = segment->result;
		else if (segment->kind == SEGMENT_APPLICATION)
			served = segment->result;
		else if (segment->kind != SEGMENT_QUEUE && segment->result == RESULT_ANSWERED)
			return RESULT_ANSWERED;
		else if (segment->result != RESULT_NONE)
			last = segment->result;
	}
	if (queue != RESULT_NONE)
		return queue;
	if (last != RESULT_NONE)
		return last;
	return served != RESULT_NONE ? served : RESULT_FAILED;
}

static int cause_of(const struct call *call)
{
	int cause = call->cause;

	if (call->result == RESULT_ANSWERED)
		return cause != 0 ? cause : 16;
	for (size_t i = 0; i < call->segment_count; i++)
		if (call->segments[i]->cause > 0)
			cause = call->segments[i]->cause;
	return cause;
}

static void forget_merged(struct model *model, const struct call *call)
{
	for (size_t i = 0; i < call->merged_count; i++)
		if (table_get(&model->merged, call->merged_from[i]) == call)
			table_remove(&model->merged, call->merged_from[i]);
}

void call_end(struct model *model, struct call *call, enum call_result result, const char *reason)
{
	if (call->state == CALL_ENDED)
		return;
	for (size_t i = 0; i < call->segment_count; i++)
		segment_close(model, call->segments[i],
			      result != RESULT_NONE ? result : RESULT_FAILED, 0);
	if (call->talking > 0) {
		call->talk_ms += model_since(model, call->talk_since);
		call->talking = 0;
	}
	if (call->held_since != 0)
		call->hold_ms += model_since(model, call->held_since);
	call->held_since = 0;
	recordings_end(model, call);
	call->result = result == RESULT_NONE ? result_of(call) : result;
	call->cause = cause_of(call);
	call->reason = reason;
	call->ended_at = model->now;
	call_set_state(model, call, CALL_ENDED);
	if (call->action_id != NULL && table_get(&model->actions, call->action_id) == call)
		table_remove(&model->actions, call->action_id);
	table_remove(&model->calls, call->linkedid);
	forget_merged(model, call);
	ring_add(model->ended, &model->ended_next, &model->ended_ids, call->id);
	model->counters.ended++;
	if (call->result == RESULT_RECONCILED)
		model->counters.reconciled++;
	note_add(model, NOTE_ENDED, call);
}
