/* The connection to Asterisk comes and goes; a list of everything says what is left. */
#include "model_parts.h"

#include "mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void be_unsure(struct model *model)
{
	if (!model->unsure)
		model->unsure_at = model->now;
	model->unsure = true;
}

void on_mayday_up(struct model *model)
{
	model->down_at = 0;
	be_unsure(model);
}

void on_mayday_down(struct model *model)
{
	if (model->down_at == 0)
		model->down_at = model->now;
	model->snapshot = 0;
	model_check_by(model, model->down_at + model->settings->pbx_down_ms);
}

void model_doubt(struct model *model)
{
	be_unsure(model);
}

void on_mayday_gap(struct model *model)
{
	be_unsure(model);
}

void on_snapshot_begin(struct model *model)
{
	const char *id = entry_text(&model->entry, ENTRY_MAYDAY_ID);

	model->snapshot = id != NULL ? model_hash(id) : 0;
	model->queues_listed = false;
}

/* "HH:MM:SS", since the channel was made. */
static int64_t duration_ms(const char *text)
{
	unsigned hours, minutes, seconds;

	if (text == NULL || sscanf(text, "%u:%u:%u", &hours, &minutes, &seconds) != 3 ||
	    hours > 100000)
		return 0;
	return ((int64_t)hours * 3600 + minutes * 60 + seconds) * 1000;
}

/* A channel that came while nobody looked. */
static struct channel *adopt(struct model *model)
{
	struct entry *entry = &model->entry;
	const char *uniqueid = entry_text(entry, ENTRY_UNIQUEID);
	const char *linkedid = entry_text(entry, ENTRY_LINKEDID);
	int64_t age = duration_ms(entry_text(entry, ENTRY_DURATION));
	bool known = linkedid != NULL && call_of_linkedid(model, linkedid) != NULL;
	struct channel *channel;

	on_new_channel(model);
	channel = uniqueid != NULL ? table_get(&model->channels, uniqueid) : NULL;
	if (channel == NULL || age > model->now)
		return channel;
	channel->created_at -= age;
	if (channel->created_at < channel->call->started_at && !known)
		channel->call->started_at = channel->created_at;
	if (!known)
		channel->call->adopted = true;
	return channel;
}

/* Who began it is not said: the channel that the call is called after. */
static void set_origin(struct call *call)
{
	for (struct channel *channel = call->channels; channel != NULL;
	     channel = channel->call_next)
		if (strcmp(channel->uniqueid, call->linkedid) == 0) {
			channel_unref(&call->origin);
			call->origin = channel_ref(channel);
		}
}

static void adopt_parties(struct model *model, struct call *call, struct channel *channel)
{
	set_origin(call);
	if (call->origin != channel) {
		call_set_to(call, channel->party, channel);
		return;
	}
	call_set_from(model, call, channel);
	call_set_to(call, channel->exten[0] != '\0' ? channel->exten : NULL, NULL);
}

/* Both parties of our own hold are in its context; in a bridge again, they keep it. */
static void learn_hold(struct model *model, struct channel *channel)
{
	const char *context = entry_text(&model->entry, ENTRY_CONTEXT);
	const char *exten = entry_text(&model->entry, ENTRY_EXTEN);

	if (channel->our_hold_at != 0 || context == NULL || strcmp(context, HOLD_CONTEXT) != 0)
		return;
	channel->our_hold_at = model->now;
	channel->holds = exten != NULL && strcmp(exten, "agent") == 0;
}

void on_core_show_channel(struct model *model)
{
	const char *uniqueid = entry_text(&model->entry, ENTRY_UNIQUEID);
	const char *bridge = entry_text(&model->entry, ENTRY_BRIDGE_ID);
	struct channel *channel;

	if (model->snapshot == 0 || uniqueid == NULL)
		return;
	channel = table_get(&model->channels, uniqueid) != NULL ? channel_current(model)
								: adopt(model);
	if (channel == NULL)
		return;
	if (channel->external && channel->party[0] == '\0')
		model_copy(channel->party, sizeof(channel->party), channel->number);
	if (channel->call->adopted && !channel->local)
		adopt_parties(model, channel->call, channel);
	channel->snapshot = model->snapshot;
	if (bridge != NULL) {
		bridge_enter(model, channel, bridge);
	} else {
		bridge_leave(model, channel);
		learn_hold(model, channel);
	}
	call_touch(model, channel->call);
}

static void drop_unseen(struct model *model, struct call *call)
{
	struct channel *next;

	for (struct channel *channel = call->channels; channel != NULL; channel = next) {
		next = channel->call_next;
		if (channel->snapshot != model->snapshot)
			channel_gone(model, channel);
	}
	if (call->channel_count == 0 && call->deadline_at == 0)
		call_end(model, call, RESULT_RECONCILED, "reconciled");
}

/* Ending a call takes it out of the table: they are collected before. */
static struct call **all_calls(const struct model *model, size_t *count_r)
{
	struct call **calls = mem_array(struct call *, model->calls.used + 1);
	size_t cursor = 0;

	*count_r = 0;
	for (struct call *call; (call = table_next(&model->calls, &cursor)) != NULL;)
		calls[(*count_r)++] = call;
	return calls;
}

static int by_serial(const void *left, const void *right)
{
	const struct call *a = *(struct call *const *)left, *b = *(struct call *const *)right;

	return a->serial < b->serial ? -1 : a->serial > b->serial;
}

void model_each_call(struct model *model, void (*fn)(struct model *, struct call *))
{
	size_t count;
	struct call **calls = all_calls(model, &count);

	qsort(calls, count, sizeof(*calls), by_serial);
	for (size_t i = 0; i < count; i++) {
		fn(model, calls[i]);
		notes_flush(model);
	}
	free(calls);
}

static void settle_one(struct model *model, struct call *call)
{
	/* Only what changed is written again. */
	if (call->changed)
		call_settle(model, call);
}

void on_snapshot_end(struct model *model)
{
	const char *id = entry_text(&model->entry, ENTRY_MAYDAY_ID);

	if (model->snapshot == 0 || id == NULL || model_hash(id) != model->snapshot)
		return;
	model_each_call(model, drop_unseen);
	model_each_call(model, settle_one);
	if (model->queues_listed)
		queues_snapshot_end(model);
	model->snapshot = 0;
	model->unsure = false;
	model->down_at = 0;
	lost_clear(model);
}

static void end_pbx_down(struct model *model, struct call *call)
{
	struct channel *next;

	for (struct channel *channel = call->channels; channel != NULL; channel = next) {
		next = channel->call_next;
		channel_gone(model, channel);
	}
	call->deadline_at = 0;
	lost_add(model, call->linkedid);
	call_end(model, call, RESULT_RECONCILED, "pbx_down");
}

void pbx_tick(struct model *model)
{
	if (model->down_at == 0 || model->now < model->down_at + model->settings->pbx_down_ms)
		return;
	model_each_call(model, end_pbx_down);
}
