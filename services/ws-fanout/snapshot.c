#include "snapshot.h"

#include "client.h"
#include "sight.h"

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

/* What the client sees of one thing. */
struct view {
	struct json_writer *writer;
	const struct client *client;
	const char *id; /* the field that names it: written by itself, once */
	bool all;
};

/* Beside the id: what nobody needs to draw it; who waits in a queue, for those who may not. */
static bool is_left_out(const struct view *view, const char *name)
{
	return strcmp(name, view->id) == 0 || strcmp(name, "model") == 0 ||
	       strcmp(name, "timeline") == 0 || (!view->all && strcmp(name, "callers") == 0);
}

/* A hash holds text alone: JSON in it (the channels, say) stays JSON, "" is not known. */
static void write_field(const char *name, const char *value, size_t len, void *context)
{
	const struct view *view = context;
	struct json_writer *writer = view->writer;
	cJSON *tree = NULL;
	const char *error;

	if (len == 0 || is_left_out(view, name))
		return;
	json_key(writer, name);
	if (strcmp(name, "members") == 0 && !sight_is_all(view->client, TOPIC_QUEUE)) {
		reach_write_those(&view->client->who, topic_permission(TOPIC_QUEUE), value, writer);
		return;
	}
	if (value[0] == '{' || value[0] == '[')
		tree = json_parse(value, len, &error);
	if (tree != NULL || (is_numeric_field(name) && is_number(value, len)))
		json_raw(writer, value, len);
	else
		json_strn(writer, value, len);
	cJSON_Delete(tree);
}

static const struct {
	const char *list, *id;
} names[TOPIC_COUNT] = {
	[TOPIC_CALL] = {"calls", "callId"},
	[TOPIC_AGENT] = {"agents", "extension"},
	[TOPIC_QUEUE] = {"queues", "name"},
};

static void write_one(struct json_writer *writer, const struct client *client, enum topic topic,
		      const struct store_snapshot *snapshot, size_t index)
{
	struct view view = {writer, client, names[topic].id,
			    topic_view(topic, &client->who) == TOPIC_VIEW_ALL};

	json_begin_object(writer);
	json_field_str(writer, view.id, store_snapshot_id(snapshot, index));
	store_snapshot_fields(snapshot, index, write_field, &view);
	json_end_object(writer);
}

static void begin_part(struct answer *answer, enum topic topic,
		       const struct store_snapshot *snapshot)
{
	char id[ENTRY_ID_TEXT_MAX], cursor[ENTRY_ID_TEXT_MAX + 8];

	answer_begin(answer, "snapshot", NULL);
	snprintf(cursor, sizeof(cursor), "%s:%s", topic_name(topic),
		 entry_id_format(snapshot->as_of, id));
	json_field_str(&answer->json, "topic", topic_name(topic));
	json_field_str(&answer->json, "asOf", cursor);
	json_key(&answer->json, names[topic].list);
	json_begin_array(&answer->json);
}

static void end_part(struct client *client, struct answer *answer, bool last, bool truncated)
{
	json_end_array(&answer->json);
	json_field_bool(&answer->json, "last", last);
	if (truncated)
		json_field_bool(&answer->json, "truncated", true);
	client_answer(client, answer);
}

void snapshot_send(struct client *client, enum topic topic, const struct store_snapshot *snapshot)
{
	struct answer answer;

	begin_part(&answer, topic, snapshot);
	for (size_t i = 0; i < snapshot->count; i++) {
		if (answer.text.len > SNAPSHOT_PART) {
			end_part(client, &answer, false, false);
			begin_part(&answer, topic, snapshot);
		}
		write_one(&answer.json, client, topic, snapshot, i);
	}
	end_part(client, &answer, true, snapshot->truncated);
	client->hub->metrics->ws_snapshots_total++;
}
