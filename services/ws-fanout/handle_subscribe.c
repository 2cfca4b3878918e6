/* Which topics and extensions a client follows, within what its role may see. */
#include "catchup.h"
#include "client.h"
#include "dispatch.h"
#include "ids.h"
#include "msg_ws_subscribe.h"
#include "msg_ws_unsubscribe.h"
#include "positions.h"

#include <string.h>

/* Rooms of one client: each is looked through for every event that it catches up with. */
#define ROOMS_MAX 256

struct refusals {
	struct json_writer *writer;
	bool begun;
};

/* extension may be NULL. */
static void refuse(struct refusals *refusals, const char *topic, const char *extension,
		   const char *code)
{
	struct json_writer *writer = refusals->writer;

	if (!refusals->begun) {
		json_key(writer, "refused");
		json_begin_array(writer);
		refusals->begun = true;
	}
	json_begin_object(writer);
	json_field_str(writer, "topic", topic);
	if (extension != NULL)
		json_field_str(writer, "extension", extension);
	json_field_str(writer, "code", code);
	json_end_object(writer);
}

/* NULL: it may be followed; else the code that says why not. */
static const char *extension_fault(const struct client *client, enum topic_view view,
				   const char *extension)
{
	if (!id_is_safe(extension, ROOM_NAME_MAX))
		return "bad_extension";
	if (view == TOPIC_VIEW_OWN && strcmp(extension, client->who.extension) != 0)
		return "forbidden";
	return occupant_rooms(&client->occupant) >= ROOMS_MAX ? "too_many" : NULL;
}

static void join_extensions(struct client *client, enum topic topic,
			    const struct msg_ws_subscribe *message, struct refusals *refusals)
{
	enum topic_view view = topic_view(topic, &client->who);
	struct rooms *rooms = client->hub->rooms;

	for (size_t i = 0; i < message->extensions_count; i++) {
		const char *extension = message->extensions[i];
		const char *fault = extension_fault(client, view, extension);

		if (fault != NULL) {
			refuse(refusals, topic_name(topic), extension, fault);
			continue;
		}
		rooms_leave(rooms, &client->occupant, ROOM_EVERYTHING, topic_bit(topic));
		rooms_enter(rooms, &client->occupant, extension, topic_bit(topic));
	}
}

static void join_topic(struct client *client, enum topic topic)
{
	struct rooms *rooms = client->hub->rooms;
	bool all = topic_view(topic, &client->who) == TOPIC_VIEW_ALL;

	rooms_leave_topics(rooms, &client->occupant, topic_bit(topic));
	rooms_enter(rooms, &client->occupant, all ? ROOM_EVERYTHING : client->who.extension,
		    topic_bit(topic));
}

static void join(struct client *client, const struct msg_ws_subscribe *message,
		 struct refusals *refusals)
{
	for (size_t i = 0; i < message->topics_count; i++) {
		enum topic topic;

		if (!topic_parse(message->topics[i], &topic))
			refuse(refusals, message->topics[i], NULL, "unknown_topic");
		else if (topic_view(topic, &client->who) == TOPIC_VIEW_NONE)
			refuse(refusals, message->topics[i], NULL, "forbidden");
		else if (message->extensions_count > 0)
			join_extensions(client, topic, message, refusals);
		else
			join_topic(client, topic);
	}
}

void handle_subscribe(struct client *client, const cJSON *json)
{
	struct msg_ws_subscribe message;
	struct positions since;
	const char *error;
	struct buffer out = {0};

	if (msg_ws_subscribe_parse(json, &message, &error) < 0 ||
	    positions_read(message.since, message.since_count, &since, &error) < 0) {
		client_error(client, "bad_message", error, NULL);
		return;
	}
	struct json_writer writer = client_message(&out, "subscribed", message.id);
	struct refusals refusals = {&writer, false};
	join(client, &message, &refusals);
	if (refusals.begun)
		json_end_array(&writer);
	client_write_topics(client, &writer);
	client_send(client, &writer, &out);
	catchup_begin(client, &since, false);
}

static void leave(struct client *client, enum topic topic, const struct msg_ws_unsubscribe *message)
{
	struct rooms *rooms = client->hub->rooms;

	if (message->extensions_count == 0)
		rooms_leave_topics(rooms, &client->occupant, topic_bit(topic));
	for (size_t i = 0; i < message->extensions_count; i++)
		rooms_leave(rooms, &client->occupant, message->extensions[i], topic_bit(topic));
}

void handle_unsubscribe(struct client *client, const cJSON *json)
{
	struct msg_ws_unsubscribe message;
	const char *error;
	struct buffer out = {0};
	enum topic topic;

	if (msg_ws_unsubscribe_parse(json, &message, &error) < 0) {
		client_error(client, "bad_message", error, NULL);
		return;
	}
	for (size_t i = 0; i < message.topics_count; i++) {
		if (topic_parse(message.topics[i], &topic))
			leave(client, topic, &message);
	}
	struct json_writer writer = client_message(&out, "subscribed", message.id);
	client_write_topics(client, &writer);
	client_send(client, &writer, &out);
}
