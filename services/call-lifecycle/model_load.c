/* Back from what model_save.c wrote. */
#include "json.h"
#include "mem.h"
#include "model_members.h"
#include "model_parts.h"

#include <stdlib.h>
#include <string.h>

/* A reference whose channel is not loaded yet: its id, parked in a channel that nobody knows.
   model_load_done() puts the real one in its place. */
static struct channel *load_ref(const cJSON *object, const char *key)
{
	const char *uniqueid = json_get_str(object, key);
	struct channel *placeholder;

	if (uniqueid == NULL)
		return NULL;
	placeholder = mem_new(struct channel);
	placeholder->refs = 1;
	placeholder->uniqueid = mem_strdup(uniqueid);
	return placeholder;
}

static void resolve(struct model *model, struct channel **ref)
{
	struct channel *channel;

	if (*ref == NULL)
		return;
	channel = table_get(&model->channels, (*ref)->uniqueid);
	channel_unref(ref);
	*ref = channel_ref(channel);
}

static bool load_channel(struct model *model, struct call *call, const cJSON *object)
{
	struct channel *channel = mem_new(struct channel);
	const char *bridge = json_get_str(object, "bridge");

	channel->refs = 1;
	members_load(object, channel_members, channel);
	if (channel->uniqueid == NULL || channel->name == NULL ||
	    table_get(&model->channels, channel->uniqueid) != NULL) {
		channel_unref(&channel);
		return false;
	}
	channel->other = load_ref(object, "other");
	channel->real = load_ref(object, "real");
	channel->dialer = load_ref(object, "dialer");
	table_put(&model->channels, channel->uniqueid, channel);
	table_put(&model->names, channel->name, channel);
	model->channel_count++;
	if (channel->suspect)
		model->suspects++;
	if (channel->serial > model->serial)
		model->serial = channel->serial;
	channel->call = call;
	/* Kept from the newest to the oldest. */
	struct channel **link = &call->channels;
	while (*link != NULL)
		link = &(*link)->call_next;
	*link = channel;
	call->channel_count++;
	if (bridge != NULL) {
		int64_t our_hold_at = channel->our_hold_at;

		bridge_enter(model, channel, bridge);
		channel->our_hold_at = our_hold_at;
		channel->bridge->parking = json_get_bool(object, "parking", false);
		channel->bridge->conference = json_get_bool(object, "conference", false);
	}
	return true;
}

static void load_segment(struct model *model, struct call *call, const cJSON *object)
{
	struct segment *segment = segment_open(model, call, SEGMENT_DIAL, NULL, NULL);

	if (segment == NULL)
		return;
	segment->started_at = 0;
	members_load(object, segment_members, segment);
	segment->a = load_ref(object, "a");
	segment->b = load_ref(object, "b");
	if (segment->phase == SEGMENT_CLOSED)
		call->segments_open--;
}

static const char *transfer_word(const char *kind)
{
	if (kind != NULL && strcmp(kind, "blind") == 0)
		return "blind";
	return kind != NULL && strcmp(kind, "attended") == 0 ? "attended" : "redirect";
}

static void load_transfers(struct call *call, const cJSON *array)
{
	const cJSON *object;

	cJSON_ArrayForEach(object, array)
	{
		struct transfer *transfer;

		call->transfers = mem_grow(call->transfers,
					   (call->transfer_count + 1) * sizeof(*call->transfers));
		transfer = &call->transfers[call->transfer_count++];
		memset(transfer, 0, sizeof(*transfer));
		members_load(object, transfer_members, transfer);
		transfer->kind = transfer_word(json_get_str(object, "kind"));
	}
}

static void load_recordings(struct call *call, const cJSON *array)
{
	const cJSON *object;

	cJSON_ArrayForEach(object, array)
	{
		struct recording *recording;

		if (call->recording_count == RECORDINGS_MAX)
			return;
		if (call->recordings == NULL)
			call->recordings = mem_array(struct recording, RECORDINGS_MAX);
		recording = &call->recordings[call->recording_count++];
		members_load(object, recording_members, recording);
		recording->on = load_ref(object, "on");
		recording->end_saved = recording->ended_at != 0;
	}
}

static void load_merged(struct model *model, struct call *call, const cJSON *array)
{
	const cJSON *item;

	cJSON_ArrayForEach(item, array) if (cJSON_IsString(item))(void)
		call_add_merged(model, call, item->valuestring);
}

static void load_timeline(struct call *call, const cJSON *array)
{
	const cJSON *item;

	cJSON_ArrayForEach(item, array)
	{
		char *text = cJSON_PrintUnformatted(item);

		if (call->timeline.len > 0)
			buffer_append_char(&call->timeline, ',');
		buffer_append_str(&call->timeline, text != NULL ? text : "{}");
		cJSON_free(text);
	}
}

static void load_lists(struct model *model, struct call *call, const cJSON *object)
{
	const cJSON *item;

	cJSON_ArrayForEach(item, cJSON_GetObjectItemCaseSensitive(object, "channels"))
		load_channel(model, call, item);
	cJSON_ArrayForEach(item, cJSON_GetObjectItemCaseSensitive(object, "segments"))
		load_segment(model, call, item);
	cJSON_ArrayForEach(item, cJSON_GetObjectItemCaseSensitive(
					 object, "extensions")) if (cJSON_IsString(item))
		call_add_extension(call, item->valuestring);
	load_recordings(call, cJSON_GetObjectItemCaseSensitive(object, "recordings"));
	load_transfers(call, cJSON_GetObjectItemCaseSensitive(object, "transfers"));
	load_merged(model, call, cJSON_GetObjectItemCaseSensitive(object, "mergedFrom"));
	load_timeline(call, cJSON_GetObjectItemCaseSensitive(object, "timeline"));
}

int model_load_call(struct model *model, const char *text, size_t len)
{
	struct call *call = mem_new(struct call);
	const char *error;
	cJSON *object = json_parse(text, len, &error);

	members_load(object, call_members, call);
	if (call->linkedid == NULL)
		call->linkedid = mem_strdup(call->id);
	if (call->id == NULL || call->state >= CALL_ENDED ||
	    table_get(&model->calls, call->linkedid) != NULL) {
		call_free(&call);
		cJSON_Delete(object);
		return -1;
	}
	table_put(&model->calls, call->linkedid, call);
	if (call->action_id != NULL)
		table_put(&model->actions, call->action_id, call);
	members_load(cJSON_GetObjectItemCaseSensitive(object, "from"), party_members, &call->from);
	members_load(cJSON_GetObjectItemCaseSensitive(object, "to"), party_members, &call->to);
	call->origin = load_ref(object, "origin");
	load_lists(model, call, object);
	if (call->serial > model->serial)
		model->serial = call->serial;
	cJSON_Delete(object);
	return 0;
}

static void resolve_call(struct model *model, struct call *call)
{
	call->saved = true;
	call->extensions_saved = call->extension_count;
	resolve(model, &call->origin);
	for (size_t i = 0; i < call->segment_count; i++) {
		resolve(model, &call->segments[i]->a);
		resolve(model, &call->segments[i]->b);
	}
	for (size_t i = 0; i < call->recording_count; i++)
		resolve(model, &call->recordings[i].on);
	for (struct channel *channel = call->channels; channel != NULL;
	     channel = channel->call_next) {
		resolve(model, &channel->other);
		resolve(model, &channel->real);
		resolve(model, &channel->dialer);
		agent_line_loaded(model, channel);
	}
	if (call->deadline_at != 0)
		model_check_by(model, call->deadline_at);
	if (call->check_at != 0)
		model_check_by(model, call->check_at);
}

/* What a call had absorbed when it was itself absorbed belongs to the one that is left. */
static void own_merged(struct model *model, struct call *call)
{
	for (size_t i = 0; call->merged_into == NULL && i < call->merged_count; i++)
		table_put(&model->merged, call->merged_from[i], call);
}

void model_load_done(struct model *model)
{
	size_t cursor = 0;

	for (struct call *call; (call = table_next(&model->calls, &cursor)) != NULL;)
		own_merged(model, call);
	cursor = 0;
	for (struct call *call; (call = table_next(&model->calls, &cursor)) != NULL;)
		resolve_call(model, call);
	if (model->down_at != 0)
		model_check_by(model, model->down_at + model->settings->pbx_down_ms);
	for (size_t i = 0; i < model->touched_count; i++)
		model->touched[i]->touched = false;
	model->touched_count = 0;
	model_clear_effects(model);
}

static void load_torn(struct model *model, const cJSON *array)
{
	const cJSON *object;

	cJSON_ArrayForEach(object, array)
	{
		struct torn_channel *torn = &model->torn[model->torn_next++ % TORN_MAX];

		memset(torn, 0, sizeof(*torn));
		members_load(object, torn_members, torn);
	}
}

int model_load(struct model *model, const char *text, size_t len)
{
	const char *error;
	const cJSON *item;
	cJSON *object = json_parse(text, len, &error);

	if (!cJSON_IsObject(object)) {
		cJSON_Delete(object);
		return -1;
	}
	members_load(object, model_members, model);
	load_torn(model, cJSON_GetObjectItemCaseSensitive(object, "torn"));
	cJSON_ArrayForEach(
		item, cJSON_GetObjectItemCaseSensitive(object, "lost")) if (cJSON_IsString(item))
		lost_add(model, item->valuestring);
	cJSON_Delete(object);
	return 0;
}
