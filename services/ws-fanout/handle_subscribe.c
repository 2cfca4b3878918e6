/* Which topics and extensions a client follows, within what its role may see. */
#include "catchup.h"
#include "client.h"
#include "dispatch.h"
#include "ids.h"
#include "msg_ws_subscribe.h"
#include "msg_ws_unsubscribe.h"
#include "positions.h"
#include "sight.h"
#include "team_filter.h"
#include "type_filter.h"

#include <stdio.h>
#include <string.h>

/* Rooms of one client: each is looked through for every event that it catches up with. */
#define ROOMS_MAX 256
#define TEAMS_MAX 16 /* as the schema has it */

struct refusals {
	struct json_writer *writer;
	bool begun;
};

/* what: "extension", "queue" or "team", with its name; NULL for the topic as such. */
static void refuse(struct refusals *refusals, const char *topic, const char *what, const char *name,
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
	if (what != NULL)
		json_field_str(writer, what, name);
	json_field_str(writer, "code", code);
	json_end_object(writer);
}

/* NULL: it may be followed; else the code that says why not. */
static const char *extension_fault(const struct client *client, enum topic topic,
				   const char *extension)
{
	if (!id_is_safe(extension, 32))
		return "bad_extension";
	if (topic_has_teams(topic) || topic_view(topic, &client->who) == TOPIC_VIEW_OWN)
		if (!sight_of_extension(client, topic, extension))
			return "forbidden";
	return occupant_rooms(&client->occupant) >= ROOMS_MAX ? "too_many" : NULL;
}

/* A queue's name may be any that Asterisk takes. */
static const char *queue_fault(const struct client *client, enum topic_view view, const char *queue)
{
	if (queue[0] == '\0' || strlen(queue) + strlen(ROOM_QUEUE) > ROOM_NAME_MAX)
		return "bad_queue";
	if (view == TOPIC_VIEW_OWN)
		return "forbidden";
	return occupant_rooms(&client->occupant) >= ROOMS_MAX ? "too_many" : NULL;
}

static const char *team_fault(const struct client *client, enum topic topic, const char *team)
{
	if (!id_is_safe(team, TEAM_ID_MAX))
		return "bad_team";
	return sight_of_team(client, topic, team) ? NULL : "forbidden";
}

/* Those that it may see; false: it asked for some and may see none of them. */
static bool choose_teams(struct client *client, enum topic topic,
			 const struct msg_ws_subscribe *message, struct refusals *refusals)
{
	const char *teams[TEAMS_MAX];
	size_t count = 0;

	for (size_t i = 0; i < message->teams_count; i++) {
		const char *fault = team_fault(client, topic, message->teams[i]);

		if (fault != NULL)
			refuse(refusals, topic_name(topic), "team", message->teams[i], fault);
		else
			teams[count++] = message->teams[i];
	}
	if (count == 0 && message->teams_count > 0)
		return false;
	team_filter_set(&client->teams, topic, teams, count);
	return true;
}

static void enter(struct client *client, enum topic topic, const char *room)
{
	struct rooms *rooms = client->hub->rooms;

	rooms_leave(rooms, &client->occupant, ROOM_EVERYTHING, topic_bit(topic));
	rooms_enter(rooms, &client->occupant, room, topic_bit(topic));
}

static void join_rooms(struct client *client, enum topic topic,
		       const struct msg_ws_subscribe *message, struct refusals *refusals)
{
	enum topic_view view = topic_view(topic, &client->who);
	char room[ROOM_NAME_MAX + 1];

	for (size_t i = 0; i < message->extensions_count; i++) {
		const char *extension = message->extensions[i];
		const char *fault = extension_fault(client, topic, extension);

		if (fault != NULL)
			refuse(refusals, topic_name(topic), "extension", extension, fault);
		else
			enter(client, topic, extension);
	}
	for (size_t i = 0; i < message->queues_count; i++) {
		const char *fault = queue_fault(client, view, message->queues[i]);

		if (fault != NULL) {
			refuse(refusals, topic_name(topic), "queue", message->queues[i], fault);
			continue;
		}
		stpcpy(stpcpy(room, ROOM_QUEUE), message->queues[i]);
		enter(client, topic, room);
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

static void join(struct client *client, enum topic topic, const struct msg_ws_subscribe *message,
		 struct refusals *refusals)
{
	if (topic_view(topic, &client->who) == TOPIC_VIEW_NONE ||
	    (client->topic != TOPIC_COUNT && client->topic != topic)) {
		refuse(refusals, topic_name(topic), NULL, NULL, "forbidden");
		return;
	}
	if (type_filter_set(&client->types, topic_bit(topic), message->types,
			    message->types_count) < 0)
		refuse(refusals, topic_name(topic), NULL, NULL, "too_many");
	if (!choose_teams(client, topic, message, refusals))
		return;
	if (message->extensions_count + message->queues_count > 0)
		join_rooms(client, topic, message, refusals);
	else
		join_topic(client, topic);
}

static void join_all(struct client *client, const struct msg_ws_subscribe *message,
		     struct refusals *refusals)
{
	for (size_t i = 0; i < message->topics_count; i++) {
		enum topic topic;

		if (topic_parse(message->topics[i], &topic))
			join(client, topic, message, refusals);
		else
			refuse(refusals, message->topics[i], NULL, NULL, "unknown_topic");
	}
}

void handle_subscribe(struct client *client, const cJSON *json)
{
	struct msg_ws_subscribe message;
	struct positions since;
	const char *error;
	struct answer answer;
	struct refusals refusals = {&answer.json, false};

	if (msg_ws_subscribe_parse(json, &message, &error) < 0 ||
	    positions_read(message.since, message.since_count, &since, &error) < 0) {
		client_error(client, "bad_message", error, message_id(json));
		return;
	}
	answer_begin(&answer, "subscribed", message.id);
	join_all(client, &message, &refusals);
	if (refusals.begun)
		json_end_array(&answer.json);
	client_write_topics(client, &answer.json);
	client_answer(client, &answer);
	if (client->protocol->followed != NULL)
		client->protocol->followed(client);
	catchup_begin(client, &since, message.has_snapshot && message.snapshot);
}

static void leave(struct client *client, enum topic topic, const struct msg_ws_unsubscribe *message)
{
	struct rooms *rooms = client->hub->rooms;
	char room[ROOM_NAME_MAX + 1];

	if (message->extensions_count + message->queues_count == 0) {
		rooms_leave_topics(rooms, &client->occupant, topic_bit(topic));
		(void)type_filter_set(&client->types, topic_bit(topic), NULL, 0);
		team_filter_set(&client->teams, topic, NULL, 0);
	}
	for (size_t i = 0; i < message->extensions_count; i++)
		rooms_leave(rooms, &client->occupant, message->extensions[i], topic_bit(topic));
	for (size_t i = 0; i < message->queues_count; i++) {
		snprintf(room, sizeof(room), ROOM_QUEUE "%s", message->queues[i]);
		rooms_leave(rooms, &client->occupant, room, topic_bit(topic));
	}
}

void handle_unsubscribe(struct client *client, const cJSON *json)
{
	struct msg_ws_unsubscribe message;
	const char *error;
	struct answer answer;
	enum topic topic;

	if (msg_ws_unsubscribe_parse(json, &message, &error) < 0) {
		client_error(client, "bad_message", error, message_id(json));
		return;
	}
	for (size_t i = 0; i < message.topics_count; i++) {
		if (topic_parse(message.topics[i], &topic))
			leave(client, topic, &message);
	}
	answer_begin(&answer, "subscribed", message.id);
	client_write_topics(client, &answer.json);
	client_answer(client, &answer);
	if (client->protocol->followed != NULL)
		client->protocol->followed(client);
}

/* One of "topics" as client_write_topics() wrote it. */
static void restore_one(struct client *client, const cJSON *entry, struct refusals *refusals)
{
	const char *topic = json_get_str(entry, "topic"), *error;
	cJSON *json = cJSON_Duplicate(entry, true),
	      *topics = cJSON_AddArrayToObject(json, "topics");
	struct msg_ws_subscribe message;

	cJSON_AddStringToObject(json, "type", "subscribe");
	if (topic != NULL)
		cJSON_AddItemToArray(topics, cJSON_CreateString(topic));
	if (msg_ws_subscribe_parse(json, &message, &error) == 0)
		join_all(client, &message, refusals);
	cJSON_Delete(json);
}

void subscriptions_restore(struct client *client, const cJSON *topics)
{
	struct buffer unread = {0};
	struct json_writer writer = json_writer_init(&unread);
	struct refusals refusals = {&writer, false};
	const cJSON *entry;

	rooms_leave_topics(client->hub->rooms, &client->occupant, TOPIC_ALL);
	cJSON_ArrayForEach(entry, topics) restore_one(client, entry, &refusals);
	buffer_free(&unread);
}
