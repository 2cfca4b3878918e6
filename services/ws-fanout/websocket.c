#include "websocket.h"

#include "catchup.h"
#include "client.h"
#include "clock.h"
#include "dispatch.h"

#include <sodium.h>

/* ---- to the client ---- */

static void on_send(struct client *client, const char *type, const char *id, const char *text,
		    size_t len)
{
	struct frame *frame = frame_text(text, len);

	(void)type;
	(void)id;
	outlet_send_reply(client->outlet, frame);
	frame_unref(&frame);
}

static void on_admit(struct client *client)
{
	connection_set_message_max(client->carrier, (size_t)client->hub->settings->message_max);
}

static void on_end(struct client *client, enum close_code code, const char *reason)
{
	connection_close(client->carrier, code, reason);
}

static const struct client_protocol protocol = {
	.name = "websocket", .send = on_send, .admit = on_admit, .end = on_end};

/* ---- from the client ---- */

static void on_message(void *user, const char *text, size_t len)
{
	dispatch_message(user, text, len);
}

static void on_room(void *user)
{
	catchup_step(user);
}

static void on_leaving(void *user)
{
	struct client *client = user;
	struct answer answer;

	answer_begin(&answer, "leaving", NULL);
	json_field_int(&answer.json, "reconnectInMs",
		       randombytes_uniform((uint32_t)client->hub->settings->spread_ms + 1));
	client_answer(client, &answer);
	client_end(client, CLOSE_GOING_AWAY, "going away");
}

static void on_gone(void *user)
{
	struct client *client = user;

	client_leave(&client);
}

void websocket_open(struct connection *connection, const struct request *request, void *hub)
{
	static const struct connection_hooks hooks = {.on_message = on_message,
						      .on_room = on_room,
						      .on_leaving = on_leaving,
						      .on_gone = on_gone};
	struct client *client =
		client_new(hub, &protocol, connection_outlet(connection),
			   connection_address(connection), connection_since_ms(connection));

	(void)request;
	client->carrier = connection;
	if (connection_deflates(connection))
		client->format = EVENT_JSON_DEFLATED;
	connection_set_user(connection, client, &hooks);
}
