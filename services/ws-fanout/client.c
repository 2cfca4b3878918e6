#include "client.h"

#include "acks.h"
#include "catchup.h"
#include "clock.h"
#include "mem.h"
#include "sight.h"
#include "team_filter.h"
#include "type_filter.h"

#include <stdlib.h>
#include <string.h>

#define AUTH_MS 5000

/* ---- life ---- */

static void enlist(struct hub *hub, struct client *client)
{
	client->id = ++hub->next_client_id;
	client->prev = hub->last;
	if (hub->last != NULL)
		hub->last->next = client;
	else
		hub->first = client;
	hub->last = client;
}

static void delist(struct hub *hub, struct client *client)
{
	if (client->prev != NULL)
		client->prev->next = client->next;
	else
		hub->first = client->next;
	if (client->next != NULL)
		client->next->prev = client->prev;
	else
		hub->last = client->prev;
}

struct client *client_new(struct hub *hub, const struct client_protocol *protocol,
			  struct outlet *outlet, const char *address, int64_t since_ms)
{
	struct client *client = mem_new(struct client);

	client->hub = hub;
	client->protocol = protocol;
	client->outlet = outlet;
	client->refs = 1;
	client->format = EVENT_JSON;
	client->topic = TOPIC_COUNT;
	client->since_ms = since_ms;
	client->auth_deadline_ms = clock_mono_ms() + AUTH_MS;
	strncpy(client->address, address, sizeof(client->address) - 1);
	enlist(hub, client);
	return client;
}

void client_leave(struct client **client)
{
	struct client *old = *client;

	old->outlet = NULL;
	delist(old->hub, old);
	rooms_leave_topics(old->hub->rooms, &old->occupant, TOPIC_ALL);
	catchup_cancel(old);
	acks_free(&old->acks);
	type_filter_free(&old->types);
	team_filter_free(&old->teams);
	client_unref(client);
}

struct client *client_ref(struct client *client)
{
	client->refs++;
	return client;
}

void client_unref(struct client **client)
{
	struct client *old = *client;

	*client = NULL;
	if (old != NULL && --old->refs == 0)
		free(old);
}

bool client_is_open(const struct client *client)
{
	return client->outlet != NULL && client->outlet->open;
}

void client_tick(struct client *client)
{
	if (!client_is_open(client))
		return;
	if (client->known && clock_wall_ms() >= client->who.expires_at_ms) {
		client_refuse(client, "token_expired", "the token has expired", NULL,
			      CLOSE_UNAUTHORIZED);
	} else if (client->known) {
		acks_tick(client);
		catchup_step(client);
	} else if (!client->checking && clock_mono_ms() >= client->auth_deadline_ms) {
		client_refuse(client, "unauthorized", "the first message must come within 5 s",
			      NULL, CLOSE_UNAUTHORIZED);
	}
}

/* ---- messages to it ---- */

void answer_begin(struct answer *answer, const char *type, const char *id)
{
	*answer = (struct answer){.type = type, .id = id};
	answer->json = json_writer_init(&answer->text);
	json_begin_object(&answer->json);
	json_field_str(&answer->json, "type", type);
	if (id != NULL)
		json_field_str(&answer->json, "id", id);
}

void client_answer(struct client *client, struct answer *answer)
{
	json_end_object(&answer->json);
	if (client_is_open(client))
		client->protocol->send(client, answer->type, answer->id, answer->text.data,
				       answer->text.len);
	buffer_free(&answer->text);
}

void client_error(struct client *client, const char *code, const char *message, const char *id)
{
	struct answer answer;

	answer_begin(&answer, "error", id);
	json_field_str(&answer.json, "code", code);
	json_field_str(&answer.json, "message", message);
	client_answer(client, &answer);
}

void client_refuse(struct client *client, const char *code, const char *message, const char *id,
		   enum close_code close_code)
{
	client_error(client, code, message, id);
	client_end(client, close_code, message);
}

void client_end(struct client *client, enum close_code code, const char *reason)
{
	if (client_is_open(client))
		client->protocol->end(client, code, reason);
}

void client_positions(const struct client *client, struct entry_id *at_r)
{
	for (enum topic topic = 0; topic < TOPIC_COUNT; topic++) {
		if (!catchup_position(client, topic, &at_r[topic]))
			at_r[topic] = backlog_tip(client->hub->backlogs[topic]);
	}
}

/* A frame that says where the client stands is its own while it catches up. */
static void send_as(struct client *client, struct event *event, enum event_format format)
{
	struct entry_id at[TOPIC_COUNT];

	if (!event_format_has_offset(format)) {
		outlet_send(client->outlet, event_frame(event, format, NULL));
		return;
	}
	client_positions(client, at);
	if (client->catchup == NULL) {
		outlet_send(client->outlet, event_frame(event, format, at));
		return;
	}
	struct frame *frame = event_frame_alone(event, format, at);
	outlet_send(client->outlet, frame);
	frame_unref(&frame);
}

void client_send_event(struct client *client, struct event *event)
{
	if (!client_is_open(client) || !type_filter_passes(client->types, event) ||
	    !team_filter_passes(client->teams, client->hub->teams, event) ||
	    !sight_of_event(client, event))
		return;
	acks_sent(client, event);
	send_as(client, event, client->format);
	if (event->topic == TOPIC_AGENT &&
	    (client->format == EVENT_SIO || client->format == EVENT_SIO_DEFLATED))
		send_as(client, event, EVENT_SIO_STATUS);
}

/* ---- rooms ---- */

struct topic_rooms {
	struct json_writer *writer;
	topic_set topic;
	bool queues; /* or extensions */
	bool begun;
};

static void write_room(const char *name, topic_set topics, void *context)
{
	struct topic_rooms *rooms = context;
	bool queue = strncmp(name, ROOM_QUEUE, strlen(ROOM_QUEUE)) == 0;

	if ((topics & rooms->topic) == 0 || name[0] == '\0' || queue != rooms->queues)
		return;
	if (!rooms->begun) {
		json_key(rooms->writer, queue ? "queues" : "extensions");
		json_begin_array(rooms->writer);
		rooms->begun = true;
	}
	json_str(rooms->writer, queue ? name + strlen(ROOM_QUEUE) : name);
}

static void write_rooms(const struct client *client, struct json_writer *writer, enum topic topic,
			bool queues)
{
	struct topic_rooms rooms = {writer, topic_bit(topic), queues, false};

	occupant_each(&client->occupant, write_room, &rooms);
	if (rooms.begun)
		json_end_array(writer);
}

void client_write_topics(const struct client *client, struct json_writer *writer)
{
	topic_set topics = occupant_topics(&client->occupant);

	json_key(writer, "topics");
	json_begin_array(writer);
	for (enum topic topic = 0; topic < TOPIC_COUNT; topic++) {
		if ((topics & topic_bit(topic)) == 0)
			continue;
		json_begin_object(writer);
		json_field_str(writer, "topic", topic_name(topic));
		write_rooms(client, writer, topic, false);
		write_rooms(client, writer, topic, true);
		type_filter_write(client->types, topic, writer);
		team_filter_write(client->teams, topic, writer);
		json_end_object(writer);
	}
	json_end_array(writer);
}

void client_write_id(const struct client *client, struct json_writer *writer)
{
	char name[40];

	snprintf(name, sizeof(name), "%s-%llu", client->hub->prefix,
		 (unsigned long long)client->id);
	json_field_str(writer, "connectionId", name);
}

void client_join_default(struct client *client)
{
	for (enum topic topic = 0; topic < TOPIC_COUNT; topic++) {
		enum topic_view view = topic_view(topic, &client->who);
		const char *room = view == TOPIC_VIEW_ALL ? ROOM_EVERYTHING : client->who.extension;
		bool wanted = client->topic == TOPIC_COUNT
				      ? topic != TOPIC_AMI && topic != TOPIC_SESSION
				      : topic == client->topic;

		if (view != TOPIC_VIEW_NONE && wanted)
			rooms_enter(client->hub->rooms, &client->occupant, room, topic_bit(topic));
	}
}
