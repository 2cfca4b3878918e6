#include "client.h"

#include "catchup.h"
#include "clock.h"
#include "dispatch.h"
#include "mem.h"

#include <stdlib.h>

#define AUTH_MS 5000

/* ---- life ---- */

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

static void *on_open(struct connection *connection, void *context)
{
	struct client *client = mem_new(struct client);

	client->hub = context;
	client->connection = connection;
	client->refs = 1;
	client->auth_deadline_ms = clock_mono_ms() + AUTH_MS;
	return client;
}

static void on_gone(void *user)
{
	struct client *client = user;

	client->connection = NULL;
	rooms_leave_topics(client->hub->rooms, &client->occupant, TOPIC_ALL);
	catchup_cancel(client);
	client_unref(&client);
}

static void on_message(void *user, const char *text, size_t len)
{
	dispatch_message(user, text, len);
}

static void on_room(void *user)
{
	catchup_step(user);
}

static void on_tick(void *user)
{
	struct client *client = user;

	if (client->known && clock_wall_ms() >= client->who.expires_at_ms)
		client_refuse(client, "token_expired", "the token has expired", NULL,
			      CLOSE_UNAUTHORIZED);
	else if (client->known)
		catchup_step(client);
	else if (!client->checking && clock_mono_ms() >= client->auth_deadline_ms)
		client_refuse(client, "unauthorized", "the first message must come within 5 s",
			      NULL, CLOSE_UNAUTHORIZED);
}

const struct ws_hooks client_hooks = {
	.on_open = on_open,
	.on_message = on_message,
	.on_room = on_room,
	.on_tick = on_tick,
	.on_gone = on_gone,
};

/* ---- messages to it ---- */

struct json_writer client_message(struct buffer *out, const char *type, const char *id)
{
	struct json_writer writer = json_writer_init(out);

	json_begin_object(&writer);
	json_field_str(&writer, "type", type);
	if (id != NULL)
		json_field_str(&writer, "id", id);
	return writer;
}

void client_send(struct client *client, struct json_writer *writer, struct buffer *out)
{
	json_end_object(writer);
	if (client->connection != NULL)
		connection_send_text(client->connection, out->data, out->len);
	buffer_free(out);
}

void client_error(struct client *client, const char *code, const char *message, const char *id)
{
	struct buffer out = {0};
	struct json_writer writer = client_message(&out, "error", id);

	json_field_str(&writer, "code", code);
	json_field_str(&writer, "message", message);
	client_send(client, &writer, &out);
}

void client_refuse(struct client *client, const char *code, const char *message, const char *id,
		   enum close_code close_code)
{
	client_error(client, code, message, id);
	if (client->connection != NULL)
		connection_close(client->connection, close_code, message);
}

/* ---- rooms ---- */

struct topic_rooms {
	struct json_writer *writer;
	topic_set topic;
	bool begun;
};

static void write_room(const char *extension, topic_set topics, void *context)
{
	struct topic_rooms *rooms = context;

	if ((topics & rooms->topic) == 0 || extension[0] == '\0')
		return;
	if (!rooms->begun) {
		json_key(rooms->writer, "extensions");
		json_begin_array(rooms->writer);
		rooms->begun = true;
	}
	json_str(rooms->writer, extension);
}

void client_write_topics(const struct client *client, struct json_writer *writer)
{
	topic_set topics = occupant_topics(&client->occupant);

	json_key(writer, "topics");
	json_begin_array(writer);
	for (enum topic topic = 0; topic < TOPIC_COUNT; topic++) {
		struct topic_rooms rooms = {writer, topic_bit(topic), false};

		if ((topics & topic_bit(topic)) == 0)
			continue;
		json_begin_object(writer);
		json_field_str(writer, "topic", topic_name(topic));
		occupant_each(&client->occupant, write_room, &rooms);
		if (rooms.begun)
			json_end_array(writer);
		json_end_object(writer);
	}
	json_end_array(writer);
}

void client_join_default(struct client *client)
{
	for (enum topic topic = 0; topic < TOPIC_COUNT; topic++) {
		enum topic_view view = topic_view(topic, &client->who);
		const char *room = view == TOPIC_VIEW_ALL ? ROOM_EVERYTHING : client->who.extension;

		if (view != TOPIC_VIEW_NONE && topic != TOPIC_AMI && topic != TOPIC_SESSION)
			rooms_enter(client->hub->rooms, &client->occupant, room, topic_bit(topic));
	}
}
