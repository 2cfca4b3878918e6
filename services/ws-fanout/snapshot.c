#include "snapshot.h"

#include "client.h"

#include <string.h>

static bool is_number(const char *value, size_t len)
{
	size_t digits = strspn(value, "0123456789");

	return len > 0 && len <= 15 && digits == len && (value[0] != '0' || len == 1);
}

/* Fields that are numbers by their name: times and spans. */
static bool is_numeric_field(const char *name)
{
	size_t len = strlen(name);

	return len > 2 && (strcmp(name + len - 2, "At") == 0 || strcmp(name + len - 2, "Ms") == 0);
}

/* callId is written by itself, once; the others are what nobody needs to draw a live call. */
static bool is_left_out(const char *name)
{
	return strcmp(name, "callId") == 0 || strcmp(name, "model") == 0 ||
	       strcmp(name, "timeline") == 0;
}

/* A hash holds text alone: JSON in it (the channels, say) stays JSON, "" is not known. */
static void write_field(const char *name, const char *value, size_t len, void *context)
{
	struct json_writer *writer = context;
	cJSON *tree = NULL;
	const char *error;

	if (len == 0 || is_left_out(name))
		return;
	json_key(writer, name);
	if (value[0] == '{' || value[0] == '[')
		tree = json_parse(value, len, &error);
	if (tree != NULL || (is_numeric_field(name) && is_number(value, len)))
		json_raw(writer, value, len);
	else
		json_strn(writer, value, len);
	cJSON_Delete(tree);
}

static void write_call(struct json_writer *writer, const struct store_snapshot *snapshot,
		       size_t index)
{
	json_begin_object(writer);
	json_field_str(writer, "callId", store_snapshot_call(snapshot, index, write_field, writer));
	json_end_object(writer);
}

static void begin_part(struct buffer *out, struct json_writer *writer_r,
		       const struct store_snapshot *snapshot)
{
	char id[ENTRY_ID_TEXT_MAX], cursor[ENTRY_ID_TEXT_MAX + 8];

	*writer_r = client_message(out, "snapshot", NULL);
	snprintf(cursor, sizeof(cursor), "%s:%s", topic_name(TOPIC_CALL),
		 entry_id_format(snapshot->as_of, id));
	json_field_str(writer_r, "asOf", cursor);
	json_key(writer_r, "calls");
	json_begin_array(writer_r);
}

static void end_part(struct client *client, struct buffer *out, struct json_writer *writer,
		     bool last, bool truncated)
{
	json_end_array(writer);
	json_field_bool(writer, "last", last);
	if (truncated)
		json_field_bool(writer, "truncated", true);
	client_send(client, writer, out);
}

void snapshot_send(struct client *client, const struct store_snapshot *snapshot)
{
	struct buffer out = {0};
	struct json_writer writer;

	begin_part(&out, &writer, snapshot);
	for (size_t i = 0; i < snapshot->count; i++) {
		if (out.len > SNAPSHOT_PART) {
			end_part(client, &out, &writer, false, false);
			begin_part(&out, &writer, snapshot);
		}
		write_call(&writer, snapshot, i);
	}
	end_part(client, &out, &writer, true, snapshot->truncated);
	client->hub->metrics->ws_snapshots_total++;
}
