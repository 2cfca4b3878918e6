/* JSON from outside through the generated readers: what one takes, its writer must give in a form
   that it takes again. */
#include "msg_ami_action.h"
#include "msg_ami_reply.h"
#include "msg_event.h"
#include "msg_ws_auth.h"
#include "msg_ws_subscribe.h"

#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define ROUND_TRIP(name, tree)                                                                     \
	do {                                                                                       \
		struct msg_##name message, again;                                                  \
		struct buffer out = {0};                                                           \
		struct json_writer writer = json_writer_init(&out);                                \
		const char *fault;                                                                 \
		cJSON *copy;                                                                       \
                                                                                                   \
		if (msg_##name##_parse(tree, &message, &fault) < 0)                                \
			break;                                                                     \
		msg_##name##_write(&message, &writer);                                             \
		copy = json_parse(out.data, out.len, &fault);                                      \
		if (!copy || msg_##name##_parse(copy, &again, &fault) < 0)                         \
			abort();                                                                   \
		cJSON_Delete(copy);                                                                \
		buffer_free(&out);                                                                 \
	} while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *error;
	cJSON *tree = json_parse((const char *)data, size, &error);

	if (!tree)
		return 0;
	ROUND_TRIP(ami_action, tree);
	ROUND_TRIP(ami_reply, tree);
	ROUND_TRIP(event, tree);
	ROUND_TRIP(ws_auth, tree);
	ROUND_TRIP(ws_subscribe, tree);
	cJSON_Delete(tree);
	return 0;
}
