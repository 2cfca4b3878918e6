/* Actions for Asterisk that nobody waits for. */
#include "store_internal.h"

#include "clock.h"
#include "mem.h"

#include "msg_ami_action.h"

#include <stdlib.h>
#include <string.h>

#define ACTIONS_MAX 10000
#define DEADLINE_MS 60000

static void write_action(const char *action, const char *field, const char *value,
			 const char *request_id, struct buffer *out)
{
	struct buffer fields = {0};
	struct json_writer list = json_writer_init(&fields), json = json_writer_init(out);
	char id[ID_RANDOM_LEN + 1];
	struct msg_ami_action message = {
		.id = id,
		.action = action,
		.deadline_at = clock_wall_ms() + DEADLINE_MS,
		.request_id = request_id,
	};

	id_random(id);
	json_begin_array(&list);
	json_begin_array(&list);
	json_str(&list, field);
	json_str(&list, value);
	json_end_array(&list);
	json_end_array(&list);
	message.fields.text = buffer_str(&fields);
	msg_ami_action_write(&message, &json);
	buffer_free(&fields);
}

void store_add_action(struct store *store, const char *pbxs, const char *action, const char *field,
		      const char *value, const char *request_id)
{
	while (*pbxs != '\0') {
		size_t len = strcspn(pbxs, " ");
		struct buffer text = {0};

		write_action(action, field, value, request_id, &text);
		(void)redis_link_command(store->link, NULL, NULL,
					 "XADD actions:%b MAXLEN ~ %d * a %b", pbxs, len,
					 ACTIONS_MAX, text.data, text.len);
		buffer_free(&text);
		pbxs += len + strspn(pbxs + len, " ");
	}
}
