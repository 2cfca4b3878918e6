/* {"type": "ack", "cursors": [...]} or "offset": these and all before them are worked off. */
#include "acks.h"
#include "client.h"
#include "dispatch.h"
#include "msg_ws_ack.h"
#include "offset.h"

static int read_positions(const struct msg_ws_ack *message, struct positions *positions_r,
			  const char **error_r)
{
	if (message->offset == NULL)
		return positions_read(message->cursors, message->cursors_count, positions_r,
				      error_r);
	*error_r = "offset must be that of an event";
	return offset_parse(message->offset, positions_r) ? 0 : -1;
}

void handle_ack(struct client *client, const cJSON *json)
{
	struct msg_ws_ack message;
	struct positions positions = {0};
	const char *error = "one of cursors and offset is needed";
	struct answer answer;

	if (msg_ws_ack_parse(json, &message, &error) < 0 ||
	    (message.offset == NULL) == (message.cursors_count == 0) ||
	    read_positions(&message, &positions, &error) < 0) {
		client_error(client, "bad_message", error, message_id(json));
	} else if (acks_take(client, &positions) < 0) {
		client_error(client, "not_acknowledging", "auth did not ask for acknowledgements",
			     message.id);
	} else if (message.id != NULL) {
		answer_begin(&answer, "acknowledged", message.id);
		client_answer(client, &answer);
	}
}
