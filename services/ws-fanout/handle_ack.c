/* {"type": "ack", "cursors": [...]}: these and all before them are worked off. */
#include "acks.h"
#include "client.h"
#include "dispatch.h"
#include "msg_ws_ack.h"

void handle_ack(struct client *client, const cJSON *json)
{
	struct msg_ws_ack message;
	struct positions positions;
	const char *error;

	if (msg_ws_ack_parse(json, &message, &error) < 0 ||
	    positions_read(message.cursors, message.cursors_count, &positions, &error) < 0)
		client_error(client, "bad_message", error, NULL);
	else if (acks_take(client, &positions) < 0)
		client_error(client, "not_acknowledging", "auth did not ask for acknowledgements",
			     message.id);
}
