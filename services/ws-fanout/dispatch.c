#include "dispatch.h"

#include "client.h"

#include <string.h>

static const struct {
	const char *type;
	void (*handle)(struct client *client, const cJSON *message);
	bool first; /* allowed before the client is known */
} handlers[] = {
	{"ack", handle_ack, false},
	{"auth", handle_auth, true},
	{"ping", handle_ping, false},
	{"subscribe", handle_subscribe, false},
	{"unsubscribe", handle_unsubscribe, false},
};

const char *message_id(const cJSON *message)
{
	const char *id = json_get_str(message, "id");

	return id != NULL && strlen(id) <= 64 ? id : NULL;
}

void dispatch(struct client *client, const cJSON *message)
{
	const char *type = json_get_str(message, "type");

	for (size_t i = 0; type != NULL && i < sizeof(handlers) / sizeof(handlers[0]); i++) {
		if (strcmp(handlers[i].type, type) != 0)
			continue;
		if (client->known || handlers[i].first)
			handlers[i].handle(client, message);
		else
			client_refuse(client, "unauthorized", "the first message must be auth",
				      NULL, CLOSE_UNAUTHORIZED);
		return;
	}
	client_error(client, "unknown_type", "type is missing or not known here",
		     message_id(message));
}

void dispatch_message(struct client *client, const char *text, size_t len)
{
	const char *error = "a message must be a JSON object";
	cJSON *message = json_parse(text, len, &error);

	if (cJSON_IsObject(message))
		dispatch(client, message);
	else
		client_error(client, "bad_message", error, NULL);
	cJSON_Delete(message);
}
