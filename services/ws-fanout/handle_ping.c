/* {"type": "ping"} -> {"type": "pong"}: for clients that can't send WebSocket pings (browsers). */
#include "client.h"
#include "clock.h"
#include "dispatch.h"
#include "msg_ws_ping.h"

void handle_ping(struct client *client, const cJSON *message)
{
	struct msg_ws_ping ping;
	const char *error;
	struct answer answer;

	if (msg_ws_ping_parse(message, &ping, &error) < 0) {
		client_error(client, "bad_message", error, message_id(message));
		return;
	}
	answer_begin(&answer, "pong", ping.id);
	json_field_int(&answer.json, "serverAt", clock_wall_ms());
	client_answer(client, &answer);
}
