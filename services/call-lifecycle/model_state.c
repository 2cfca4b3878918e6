/* The whole of a call as one JSON text, and back: what the model needs after a restart. Plain
   members stand in tables; what refers to channels does so by their uniqueids. */
#include "model_parts.h"

#include "json.h"
#include "mem.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

enum member_kind {
	MEMBER_INT64,
	MEMBER_INT, /* int, unsigned, or an enum */
	MEMBER_BOOL,
	MEMBER_CHARS,  /* an array of char */
	MEMBER_STRING, /* char *, owned, NULL for none */
	MEMBER_UINT64,
};

struct member {
	const char *key; /* NULL ends the table */
	enum member_kind kind;
	size_t offset, size;
};

#define MEMBER(kind, type, name, key)                                                              \
	{                                                                                          \
		key, kind, offsetof(struct type, name), sizeof(((struct type *)NULL)->name)        \
	}
#define MEMBERS_END                                                                                \
	{                                                                                          \
		NULL, MEMBER_INT, 0, 0                                                             \
	}

static const struct member channel_members[] = {
	MEMBER(MEMBER_STRING, channel, uniqueid, "u"),
	MEMBER(MEMBER_STRING, channel, name, "n"),
	MEMBER(MEMBER_STRING, channel, caller_name, "cn"),
	MEMBER(MEMBER_STRING, channel, origin_call, "oc"),
	MEMBER(MEMBER_INT, channel, state, "st"),
	MEMBER(MEMBER_UINT64, channel, serial, "s"),
	MEMBER(MEMBER_BOOL, channel, local, "l"),
	MEMBER(MEMBER_BOOL, channel, external, "x"),
	MEMBER(MEMBER_BOOL, channel, originated, "o"),
	MEMBER(MEMBER_BOOL, channel, hangup_requested, "hr"),
	MEMBER(MEMBER_BOOL, channel, redirected, "rd"),
	MEMBER(MEMBER_BOOL, channel, parked, "pk"),
	MEMBER(MEMBER_BOOL, channel, queued, "q"),
	MEMBER(MEMBER_BOOL, channel, suspect, "sp"),
	MEMBER(MEMBER_BOOL, channel, holds, "hd"),
	MEMBER(MEMBER_BOOL, channel, orphan, "op"),
	MEMBER(MEMBER_CHARS, channel, party, "p"),
	MEMBER(MEMBER_CHARS, channel, number, "no"),
	MEMBER(MEMBER_CHARS, channel, exten, "e"),
	MEMBER(MEMBER_INT, channel, linkedid_seen, "ls"),
	MEMBER(MEMBER_INT, channel, snapshot, "sn"),
	MEMBER(MEMBER_INT64, channel, created_at, "ca"),
	MEMBER(MEMBER_INT64, channel, up_at, "ua"),
	MEMBER(MEMBER_INT64, channel, hold_at, "ha"),
	MEMBER(MEMBER_INT64, channel, our_hold_at, "oh"),
	MEMBER(MEMBER_INT64, channel, lone_at, "la"),
	MEMBER(MEMBER_INT, channel, cause, "c"),
	MEMBERS_END,
};

static const struct member segment_members[] = {
	MEMBER(MEMBER_INT, segment, kind, "k"),
	MEMBER(MEMBER_INT, segment, phase, "ph"),
	MEMBER(MEMBER_INT, segment, result, "r"),
	MEMBER(MEMBER_INT, segment, cause, "c"),
	MEMBER(MEMBER_CHARS, segment, from, "f"),
	MEMBER(MEMBER_CHARS, segment, to, "t"),
	MEMBER(MEMBER_INT64, segment, started_at, "sa"),
	MEMBER(MEMBER_INT64, segment, ringing_at, "ra"),
	MEMBER(MEMBER_INT64, segment, answered_at, "aa"),
	MEMBER(MEMBER_INT64, segment, ended_at, "ea"),
	MEMBER(MEMBER_INT64, segment, talk_since, "ts"),
	MEMBER(MEMBER_INT64, segment, talk_ms, "tm"),
	MEMBER(MEMBER_INT64, segment, apart_at, "pa"),
	MEMBER(MEMBER_BOOL, segment, connected, "cn"),
	MEMBER(MEMBER_BOOL, segment, own_ring, "or"),
	MEMBERS_END,
};

static const struct member party_members[] = {
	MEMBER(MEMBER_CHARS, party, number, "number"),
	MEMBER(MEMBER_CHARS, party, extension, "extension"),
	MEMBER(MEMBER_STRING, party, name, "name"),
	MEMBERS_END,
};

static const struct member call_members[] = {
	MEMBER(MEMBER_STRING, call, id, "id"),
	MEMBER(MEMBER_UINT64, call, serial, "s"),
	MEMBER(MEMBER_INT, call, state, "st"),
	MEMBER(MEMBER_INT, call, direction, "d"),
	MEMBER(MEMBER_INT64, call, started_at, "sa"),
	MEMBER(MEMBER_INT64, call, ringing_at, "ra"),
	MEMBER(MEMBER_INT64, call, answered_at, "aa"),
	MEMBER(MEMBER_INT, call, talking, "tk"),
	MEMBER(MEMBER_INT64, call, talk_since, "ts"),
	MEMBER(MEMBER_INT64, call, talk_ms, "tm"),
	MEMBER(MEMBER_INT64, call, held_since, "hs"),
	MEMBER(MEMBER_INT64, call, hold_ms, "hm"),
	MEMBER(MEMBER_CHARS, call, held_by, "hb"),
	MEMBER(MEMBER_INT, call, cause, "c"),
	MEMBER(MEMBER_CHARS, call, ended_by_party, "ep"),
	MEMBER(MEMBER_STRING, call, message, "ms"),
	MEMBER(MEMBER_CHARS, call, queue, "q"),
	MEMBER(MEMBER_CHARS, call, queue_outcome, "qo"),
	MEMBER(MEMBER_INT64, call, queue_joined_at, "qj"),
	MEMBER(MEMBER_INT64, call, queue_wait_ms, "qw"),
	MEMBER(MEMBER_INT, call, queue_position, "qp"),
	MEMBER(MEMBER_CHARS, call, park_space, "ps"),
	MEMBER(MEMBER_CHARS, call, park_lot, "pl"),
	MEMBER(MEMBER_INT64, call, parked_at, "pa"),
	MEMBER(MEMBER_BOOL, call, transferring, "tr"),
	MEMBER(MEMBER_BOOL, call, originated, "o"),
	MEMBER(MEMBER_BOOL, call, adopted, "ad"),
	MEMBER(MEMBER_BOOL, call, begun, "bg"),
	MEMBER(MEMBER_BOOL, call, dialled, "dd"),
	MEMBER(MEMBER_BOOL, call, no_answer, "na"),
	MEMBER(MEMBER_BOOL, call, by_caller, "bc"),
	MEMBER(MEMBER_STRING, call, merged_into, "mi"),
	MEMBER(MEMBER_STRING, call, action_id, "ai"),
	MEMBER(MEMBER_STRING, call, requested_by, "rb"),
	MEMBER(MEMBER_INT64, call, deadline_at, "da"),
	MEMBER(MEMBER_INT64, call, check_at, "ck"),
	MEMBER(MEMBER_INT, call, timeline_count, "tc"),
	MEMBERS_END,
};

static const struct member transfer_members[] = {
	MEMBER(MEMBER_INT64, transfer, at, "at"),
	MEMBER(MEMBER_CHARS, transfer, by, "by"),
	MEMBER(MEMBER_CHARS, transfer, transferee, "who"),
	MEMBER(MEMBER_CHARS, transfer, target, "to"),
	MEMBERS_END,
};

/* What is 0 or empty is left out. */
static void save_member(struct json_writer *writer, const struct member *member, const void *from)
{
	const char *at = (const char *)from + member->offset;
	int64_t number = 0;
	const char *text = NULL;

	switch (member->kind) {
	case MEMBER_INT64:
	case MEMBER_UINT64:
		memcpy(&number, at, sizeof(number));
		break;
	case MEMBER_INT:
		memcpy(&number, at, member->size);
		break;
	case MEMBER_BOOL:
		number = *(const bool *)at;
		break;
	case MEMBER_CHARS:
		text = at;
		break;
	case MEMBER_STRING:
		text = *(char *const *)at;
		break;
	}
	if (text != NULL && text[0] != '\0')
		json_field_str(writer, member->key, text);
	else if (number != 0)
		json_field_int(writer, member->key, number);
}

static void save_members(struct json_writer *writer, const struct member *members, const void *from)
{
	for (; members->key != NULL; members++)
		save_member(writer, members, from);
}

static void load_member(const cJSON *item, const struct member *member, void *to)
{
	char *at = (char *)to + member->offset;
	int64_t number = cJSON_IsNumber(item) ? (int64_t)item->valuedouble : 0;

	if (member->kind == MEMBER_CHARS || member->kind == MEMBER_STRING) {
		if (!cJSON_IsString(item))
			return;
		if (member->kind == MEMBER_CHARS)
			model_copy(at, member->size, item->valuestring);
		else
			*(char **)at = mem_strdup(item->valuestring);
	} else if (member->kind == MEMBER_BOOL) {
		*(bool *)at = number != 0;
	} else {
		memcpy(at, &number, member->size); /* little-endian */
	}
}

/* One pass over the object: its keys are few and unlike. */
static void load_members(const cJSON *object, const struct member *members, void *to)
{
	const cJSON *item;

	cJSON_ArrayForEach(item, object) for (const struct member *member = members;
					      member->key != NULL; member++)
	{
		if (strcmp(member->key, item->string) != 0)
			continue;
		load_member(item, member, to);
		break;
	}
}

static void save_ref(struct json_writer *writer, const char *key, const struct channel *channel)
{
	if (channel != NULL)
		json_field_str(writer, key, channel->uniqueid);
}

static void save_channel(struct json_writer *writer, const struct channel *channel)
{
	json_begin_object(writer);
	save_members(writer, channel_members, channel);
	save_ref(writer, "other", channel->other);
	save_ref(writer, "real", channel->real);
	save_ref(writer, "dialer", channel->dialer);
	if (channel->bridge != NULL) {
		json_field_str(writer, "bridge", channel->bridge->id);
		if (channel->bridge->parking)
			json_field_bool(writer, "parking", true);
		if (channel->bridge->conference)
			json_field_bool(writer, "conference", true);
	}
	json_end_object(writer);
}

static void save_strings(struct json_writer *writer, const char *key, char *const *strings,
			 size_t count)
{
	if (count == 0)
		return;
	json_key(writer, key);
	json_begin_array(writer);
	for (size_t i = 0; i < count; i++)
		json_str(writer, strings[i]);
	json_end_array(writer);
}

static void save_channels(struct json_writer *writer, const struct call *call)
{
	json_key(writer, "channels");
	json_begin_array(writer);
	for (const struct channel *channel = call->channels; channel != NULL;
	     channel = channel->call_next)
		save_channel(writer, channel);
	json_end_array(writer);
}

static void save_segments(struct json_writer *writer, const struct call *call)
{
	json_key(writer, "segments");
	json_begin_array(writer);
	for (size_t i = 0; i < call->segment_count; i++) {
		json_begin_object(writer);
		save_members(writer, segment_members, call->segments[i]);
		save_ref(writer, "a", call->segments[i]->a);
		save_ref(writer, "b", call->segments[i]->b);
		json_end_object(writer);
	}
	json_end_array(writer);
}

static void save_transfers(struct json_writer *writer, const struct call *call)
{
	json_key(writer, "transfers");
	json_begin_array(writer);
	for (size_t i = 0; i < call->transfer_count; i++) {
		json_begin_object(writer);
		save_members(writer, transfer_members, &call->transfers[i]);
		json_field_str(writer, "kind", call->transfers[i].kind);
		json_end_object(writer);
	}
	json_end_array(writer);
}

static void save_party(struct json_writer *writer, const char *key, const struct party *party)
{
	json_key(writer, key);
	json_begin_object(writer);
	save_members(writer, party_members, party);
	json_end_object(writer);
}

void call_save(const struct call *call, struct buffer *out)
{
	struct json_writer writer = json_writer_init(out);

	json_begin_object(&writer);
	save_members(&writer, call_members, call);
	save_party(&writer, "from", &call->from);
	save_party(&writer, "to", &call->to);
	save_ref(&writer, "origin", call->origin);
	save_channels(&writer, call);
	save_segments(&writer, call);
	if (call->transfer_count > 0)
		save_transfers(&writer, call);
	save_strings(&writer, "extensions", call->extensions, call->extension_count);
	save_strings(&writer, "mergedFrom", call->merged_from, call->merged_count);
	json_key(&writer, "timeline");
	json_begin_array(&writer);
	if (call->timeline.len > 0)
		json_raw(&writer, buffer_str(&call->timeline), call->timeline.len);
	json_end_array(&writer);
	json_end_object(&writer);
}

/* ---- and back ---- */

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
	load_members(object, channel_members, channel);
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
	load_members(object, segment_members, segment);
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
		load_members(object, transfer_members, transfer);
		transfer->kind = transfer_word(json_get_str(object, "kind"));
	}
}

static void load_merged(struct call *call, const cJSON *array)
{
	const cJSON *item;

	cJSON_ArrayForEach(item, array)
	{
		if (!cJSON_IsString(item) || call->merged_count == MERGED_MAX)
			return;
		if (call->merged_from == NULL)
			call->merged_from = mem_array(char *, MERGED_MAX);
		call->merged_from[call->merged_count++] = mem_strdup(item->valuestring);
	}
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
	load_transfers(call, cJSON_GetObjectItemCaseSensitive(object, "transfers"));
	load_merged(call, cJSON_GetObjectItemCaseSensitive(object, "mergedFrom"));
	load_timeline(call, cJSON_GetObjectItemCaseSensitive(object, "timeline"));
}

int model_load_call(struct model *model, const char *text, size_t len)
{
	struct call *call = mem_new(struct call);
	const char *error;
	cJSON *object = json_parse(text, len, &error);

	load_members(object, call_members, call);
	if (call->id == NULL || call->state >= CALL_ENDED ||
	    table_get(&model->calls, call->id) != NULL) {
		call_free(&call);
		cJSON_Delete(object);
		return -1;
	}
	table_put(&model->calls, call->id, call);
	if (call->action_id != NULL)
		table_put(&model->actions, call->action_id, call);
	load_members(cJSON_GetObjectItemCaseSensitive(object, "from"), party_members, &call->from);
	load_members(cJSON_GetObjectItemCaseSensitive(object, "to"), party_members, &call->to);
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

void model_load_done(struct model *model)
{
	size_t cursor = 0;

	for (struct call *call; (call = table_next(&model->calls, &cursor)) != NULL;)
		resolve_call(model, call);
	if (model->down_at != 0)
		model_check_by(model, model->down_at + model->settings->pbx_down_ms);
	for (size_t i = 0; i < model->touched_count; i++)
		model->touched[i]->touched = false;
	model->touched_count = 0;
	model_clear_effects(model);
}

/* ---- what belongs to no call ---- */

static const struct member model_members[] = {
	MEMBER(MEMBER_INT64, model, now, "now"),
	MEMBER(MEMBER_INT64, model, as_of, "asOf"),
	MEMBER(MEMBER_INT64, model, down_at, "downAt"),
	MEMBER(MEMBER_INT, model, snapshot, "snapshot"),
	MEMBER(MEMBER_BOOL, model, unsure, "unsure"),
	MEMBER(MEMBER_UINT64, model, serial, "serial"),
	MEMBERS_END,
};

static const struct member torn_members[] = {
	MEMBER(MEMBER_CHARS, torn_channel, name, "n"),
	MEMBER(MEMBER_CHARS, torn_channel, number, "no"),
	MEMBER(MEMBER_INT, torn_channel, state, "st"),
	MEMBER(MEMBER_INT64, torn_channel, at, "at"),
	MEMBERS_END,
};

static void save_torn(struct json_writer *writer, const struct model *model)
{
	json_key(writer, "torn");
	json_begin_array(writer);
	for (size_t i = 0; i < TORN_MAX; i++) {
		const struct torn_channel *torn = &model->torn[(model->torn_next + i) % TORN_MAX];

		if (torn->name[0] == '\0')
			continue;
		json_begin_object(writer);
		save_members(writer, torn_members, torn);
		json_end_object(writer);
	}
	json_end_array(writer);
}

static void load_torn(struct model *model, const cJSON *array)
{
	const cJSON *object;

	cJSON_ArrayForEach(object, array)
	{
		struct torn_channel *torn = &model->torn[model->torn_next++ % TORN_MAX];

		memset(torn, 0, sizeof(*torn));
		load_members(object, torn_members, torn);
	}
}

char *model_save(const struct model *model)
{
	struct buffer text = {0};
	struct json_writer writer = json_writer_init(&text);

	json_begin_object(&writer);
	save_members(&writer, model_members, model);
	save_torn(&writer, model);
	json_end_object(&writer);
	return buffer_take(&text, NULL);
}

int model_load(struct model *model, const char *text, size_t len)
{
	const char *error;
	cJSON *object = json_parse(text, len, &error);

	if (!cJSON_IsObject(object)) {
		cJSON_Delete(object);
		return -1;
	}
	load_members(object, model_members, model);
	load_torn(model, cJSON_GetObjectItemCaseSensitive(object, "torn"));
	cJSON_Delete(object);
	return 0;
}
