/* Channels come, change and go. */
#include "model_parts.h"

#include "json.h"
#include "mem.h"

#include <stdlib.h>
#include <string.h>

/* The remainder of the event may come as an event of its own: see on_new_channel(). */
#define TORN_MS 2000

static void remember_torn(struct model *model, const char *name)
{
	struct torn_channel *torn = &model->torn[model->torn_next++ % TORN_MAX];
	const char *number = entry_text(&model->entry, ENTRY_CALLER_ID_NUM);

	model->counters.torn++;
	if (channel_name_ignored(name) || strlen(name) >= sizeof(torn->name))
		return;
	model_copy(torn->name, sizeof(torn->name), name);
	model_copy(torn->number, sizeof(torn->number), number != NULL ? number : "");
	torn->state = (enum channel_state)entry_int(&model->entry, ENTRY_CHANNEL_STATE, 0);
	torn->at = model->now;
}

static void set_up(struct model *model, struct channel *channel, int64_t state, const char *number,
		   const char *name)
{
	channel_set_state(model, channel, state);
	if (number != NULL)
		model_copy(channel->number, sizeof(channel->number), number);
	if (name != NULL)
		channel->caller_name = mem_strdup(name);
	if (channel->external && channel->state == CHANNEL_RING)
		model_copy(channel->party, sizeof(channel->party), channel->number);
}

/* The first channel of a call: it calls us, or we call it to originate. */
static void begin_call(struct model *model, struct channel *channel)
{
	struct call *call = channel->call;
	struct segment *segment;

	call->deadline_at = 0;
	if (call->segment_count > 0) { /* we asked for it */
		segment = call->segments[0];
		channel->originated = true;
		segment->a = channel_ref(channel);
		if (call->from.name == NULL)
			call->from.name = mem_strdup(channel->caller_name);
		return;
	}
	call_set_from(model, call, channel);
	if (channel->state == CHANNEL_UP) { /* found in a list: what it does is seen from now on */
		call->adopted = true;
		call->state = CALL_DIALING;
		return;
	}
	channel->originated = channel->state != CHANNEL_RING;
	call->originated = channel->originated;
	segment = segment_open(model, call, SEGMENT_DIAL, channel, NULL);
	if (!channel->originated) {
		model_copy(segment->to, sizeof(segment->to), channel->exten);
		call_set_to(call, channel->exten, NULL);
	}
	if (channel->originated)
		note_add(model, NOTE_ORIGINATING, call);
	else
		call_dials(model, call);
}

/* The channel whose Newchannel was torn is the one that the linkedid names: a call is called after
   its first channel. */
static void adopt_torn(struct model *model, struct call *call)
{
	for (size_t i = 1; i <= TORN_MAX; i++) {
		struct torn_channel *torn =
			&model->torn[(model->torn_next + TORN_MAX - i) % TORN_MAX];
		struct channel *channel;

		if (torn->name[0] == '\0' || model->now - torn->at > TORN_MS)
			continue;
		channel = channel_new(model, call->linkedid, torn->name, call);
		channel->linkedid_seen = model_hash(call->linkedid);
		set_up(model, channel, torn->state, torn->number, NULL);
		torn->name[0] = '\0';
		begin_call(model, channel);
		return;
	}
}

static bool is_full(struct model *model)
{
	if (model->calls.used < model->settings->calls_max &&
	    model->channel_count < model->settings->calls_max * 8)
		return false;
	model->counters.overflow++;
	return true;
}

static struct call *call_for(struct model *model, const char *uniqueid, const char *linkedid)
{
	struct call *call = call_of_linkedid(model, linkedid);
	bool calls_us;

	if (call != NULL)
		return call;
	calls_us = entry_int(&model->entry, ENTRY_CHANNEL_STATE, 0) == CHANNEL_RING;
	call = call_new(model, linkedid, calls_us ? CALL_DIALING : CALL_ORIGINATING);
	if (strcmp(uniqueid, linkedid) != 0) {
		call->state = CALL_DIALING;
		if (table_get(&model->channels, linkedid) == NULL &&
		    !channel_is_gone_id(model, linkedid))
			adopt_torn(model, call);
	}
	return call;
}

void on_new_channel(struct model *model)
{
	struct entry *entry = &model->entry;
	const char *uniqueid = entry_text(entry, ENTRY_UNIQUEID);
	const char *linkedid = entry_text(entry, ENTRY_LINKEDID);
	const char *name = entry_text(entry, ENTRY_CHANNEL);
	const char *exten = entry_text(entry, ENTRY_EXTEN);
	struct channel *channel;

	if (name == NULL)
		return;
	if (uniqueid == NULL || linkedid == NULL) {
		remember_torn(model, name);
		return;
	}
	if (channel_name_ignored(name) || table_get(&model->channels, uniqueid) != NULL ||
	    channel_is_gone_id(model, uniqueid) || is_full(model))
		return;
	channel = channel_new(model, uniqueid, name, call_for(model, uniqueid, linkedid));
	channel->linkedid_seen = model_hash(linkedid);
	if (channel_is_number(exten))
		model_copy(channel->exten, sizeof(channel->exten), exten);
	set_up(model, channel, entry_int(entry, ENTRY_CHANNEL_STATE, 0),
	       entry_text(entry, ENTRY_CALLER_ID_NUM), entry_text(entry, ENTRY_CALLER_ID_NAME));
	if (channel->call->origin != channel)
		return;
	if (strcmp(uniqueid, linkedid) == 0)
		begin_call(model, channel);
	else
		channel->call->adopted = true; /* its beginning was not seen */
}

/* Rings before its DialBegin came, or the DialBegin was torn. */
static struct segment *segment_early(struct model *model, struct channel *channel)
{
	struct channel *origin = channel->call->origin;
	struct segment *segment;

	if (channel->local || origin == NULL || origin == channel || origin->local)
		return NULL;
	segment = segment_unassigned(channel->call, origin);
	if (segment == NULL)
		return NULL;
	call_dials(model, channel->call);
	segment_assign(model, segment, channel);
	call_set_to(channel->call, segment->to, channel);
	return segment;
}

void on_new_state(struct model *model)
{
	struct channel *channel = channel_current(model);
	struct segment *segment;

	if (channel == NULL || channel->state != CHANNEL_RINGING)
		return;
	segment = segment_to(channel->call, channel);
	if (segment == NULL)
		segment = segment_early(model, channel);
	if (segment != NULL) {
		segment_ring(model, segment);
		return;
	}
	segment = segment_unassigned(channel->call, channel);
	if (segment != NULL && segment->ringing_at == 0 && channel->call->originated) {
		segment->ringing_at = model->now;
		segment->own_ring = true;
		channel->call->ringing_at = model->now;
	}
}

void on_rename(struct model *model)
{
	const char *uniqueid = entry_text(&model->entry, ENTRY_UNIQUEID);
	const char *name = entry_text(&model->entry, ENTRY_NEWNAME);
	struct channel *channel = uniqueid != NULL ? table_get(&model->channels, uniqueid) : NULL;

	if (channel == NULL || name == NULL)
		return;
	if (table_get(&model->names, channel->name) == channel)
		table_remove(&model->names, channel->name);
	free(channel->name);
	channel->name = mem_strdup(name);
	table_put(&model->names, channel->name, channel);
	call_touch(model, channel->call);
}

void on_hangup_request(struct model *model)
{
	struct channel *channel = channel_current(model);
	int64_t cause = entry_int(&model->entry, ENTRY_CAUSE, 0);
	struct call *call;

	if (channel == NULL)
		return;
	channel->hangup_requested = true;
	if (cause > 0 && cause < 128)
		channel->cause = (int)cause;
	if (channel->local)
		return;
	call = channel->call;
	call->by_caller = channel == channel_real(call->origin);
	model_copy(call->ended_by_party, sizeof(call->ended_by_party), channel->party);
}

/* By REST: Asterisk names nobody. */
void hangup_as_told(struct model *model, const char *call_id, const cJSON *data)
{
	struct call *call = call_of_linkedid(model, call_id);
	const char *by = json_get_str(data, "by");

	if (call == NULL || by == NULL || !call_has_extension(call, by))
		return;
	call->by_caller = strcmp(call->from.extension, by) == 0;
	model_copy(call->ended_by_party, sizeof(call->ended_by_party), by);
	call_touch(model, call);
}

/* As Asterisk writes it: all there, once, in its order. What a caller can inject through a number
   stands between Channel and Exten, and is too short to bring all of it along. */
static bool is_genuine(const struct entry *entry)
{
	static const enum entry_field order[] = {
		ENTRY_CHANNEL,  ENTRY_CHANNEL_STATE, ENTRY_CALLER_ID_NUM, ENTRY_EXTEN,
		ENTRY_UNIQUEID, ENTRY_LINKEDID,      ENTRY_CAUSE,
	};
	const struct entry_value *last = NULL;

	for (size_t i = 0; i < sizeof(order) / sizeof(order[0]); i++) {
		const struct entry_value *value = &entry->values[order[i]];

		if (value->text == NULL || value->repeated ||
		    (last != NULL && value->order <= last->order))
			return false;
		last = value;
	}
	return true;
}

/* What is left of a Hangup whose number was injected into. It is believed when the device says that
   it has no channel any more: see on_device_state(). */
static void suspect(struct model *model)
{
	const struct entry *entry = &model->entry;
	struct channel *channel;

	if (entry_has(entry, ENTRY_UNIQUEID) || entry_has(entry, ENTRY_CAUSE) ||
	    !entry_has(entry, ENTRY_CHANNEL_STATE))
		return;
	channel = channel_of(model, ENTRY_UNIQUEID, ENTRY_CHANNEL);
	if (channel == NULL || channel->suspect)
		return;
	channel->suspect = true;
	model->suspects++;
	call_touch(model, channel->call);
}

void on_hangup(struct model *model)
{
	struct channel *channel;
	int64_t cause;

	if (!is_genuine(&model->entry)) {
		model->counters.forged++;
		suspect(model);
		return;
	}
	channel = channel_current(model);
	if (channel == NULL)
		return;
	cause = entry_int(&model->entry, ENTRY_CAUSE, 0);
	if (cause > 0 && cause < 128)
		channel->cause = (int)cause;
	if (!channel->local && channel->cause != 0)
		channel->call->cause = channel->cause;
	channel_gone(model, channel);
}
