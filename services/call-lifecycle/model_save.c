/* The whole of a call as one JSON text: what the model needs after a restart. What refers to
   channels does so by their uniqueids. */
#include "model_members.h"
#include "model_parts.h"

static void save_ref(struct json_writer *writer, const char *key, const struct channel *channel)
{
	if (channel != NULL)
		json_field_str(writer, key, channel->uniqueid);
}

static void save_channel(struct json_writer *writer, const struct channel *channel)
{
	json_begin_object(writer);
	members_save(writer, channel_members, channel);
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
		members_save(writer, segment_members, call->segments[i]);
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
		members_save(writer, transfer_members, &call->transfers[i]);
		json_field_str(writer, "kind", call->transfers[i].kind);
		json_end_object(writer);
	}
	json_end_array(writer);
}

static void save_recordings(struct json_writer *writer, const struct call *call)
{
	json_key(writer, "recordings");
	json_begin_array(writer);
	for (size_t i = 0; i < call->recording_count; i++) {
		json_begin_object(writer);
		members_save(writer, recording_members, &call->recordings[i]);
		save_ref(writer, "on", call->recordings[i].on);
		json_end_object(writer);
	}
	json_end_array(writer);
}

static void save_party(struct json_writer *writer, const char *key, const struct party *party)
{
	json_key(writer, key);
	json_begin_object(writer);
	members_save(writer, party_members, party);
	json_end_object(writer);
}

void call_save(const struct call *call, struct buffer *out)
{
	struct json_writer writer = json_writer_init(out);

	json_begin_object(&writer);
	members_save(&writer, call_members, call);
	save_party(&writer, "from", &call->from);
	save_party(&writer, "to", &call->to);
	save_ref(&writer, "origin", call->origin);
	save_channels(&writer, call);
	save_segments(&writer, call);
	if (call->transfer_count > 0)
		save_transfers(&writer, call);
	if (call->recording_count > 0)
		save_recordings(&writer, call);
	save_strings(&writer, "extensions", call->extensions, call->extension_count);
	save_strings(&writer, "mergedFrom", call->merged_from, call->merged_count);
	json_key(&writer, "timeline");
	json_begin_array(&writer);
	if (call->timeline.len > 0)
		json_raw(&writer, buffer_str(&call->timeline), call->timeline.len);
	json_end_array(&writer);
	json_end_object(&writer);
}

static void save_torn(struct json_writer *writer, const struct model *model)
{
	json_key(writer, "torn");
	json_begin_array(writer);
	for (size_t i = 0; i < TORN_MAX; i++) {
		const struct torn_channel *torn = &model->torn[(model->torn_next + i) % TORN_MAX];

		if (torn->name[0] == '\0')
			continue;
		json_begin_object(writer);
		members_save(writer, torn_members, torn);
		json_end_object(writer);
	}
	json_end_array(writer);
}

static void save_lost(struct json_writer *writer, const struct model *model)
{
	size_t cursor = 0;

	json_key(writer, "lost");
	json_begin_array(writer);
	for (const char *kept; (kept = table_next(&model->lost, &cursor)) != NULL;)
		json_str(writer, kept);
	json_end_array(writer);
}

char *model_save(const struct model *model)
{
	struct buffer text = {0};
	struct json_writer writer = json_writer_init(&text);

	json_begin_object(&writer);
	members_save(&writer, model_members, model);
	save_torn(&writer, model);
	if (model->lost.used > 0)
		save_lost(&writer, model);
	json_end_object(&writer);
	return buffer_take(&text, NULL);
}
