/* {"type": "ping"} -> {"type": "pong"}: for clients that can't send WebSocket pings (browsers). */
#include "client.h"
#include "clock.h"
#include "dispatch.h"
#include "msg_ws_ping.h"

void handle_ping(struct client *client, const cJSON *message)
{
	struct msg_ws_ping ping;
	const char *error;
	struct buffer out = {0};
	struct json_writer writer;

	if (msg_ws_ping_parse(message, &ping, &error) < 0) {
		client_error(client, "bad_message", error, NULL);
		return;
	}
	writer = client_message(&out, "pong", ping.id);
	json_field_int(&writer, "serverAt", clock_wall_ms());
	client_send(client, &writer, &out);
}
