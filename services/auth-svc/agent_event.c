#include "agent_event.h"

#include "mem.h"

#include "msg_agent_status_set.h"
#include "msg_event.h"

#include <stdlib.h>

void agent_event_status(const struct store_status *status, int64_t at_ms, struct buffer *out)
{
	struct buffer data = {0};
	struct json_writer json = json_writer_init(&data), envelope = json_writer_init(out);
	char *key = mem_printf("agent:%s", status->extension);
	struct msg_agent_status_set message = {
		.extension = status->extension,
		.availability = (enum msg_agent_status_set_availability)status->availability,
		.reason = status->reason,
		.by = status->by,
		.since_at = at_ms,
	};
	struct msg_event event = {
		.event_type = "agent:status_set",
		.extension = status->extension,
		.extensions_count = 1,
		.extensions = {status->extension},
		.timestamp = at_ms,
		.redis_key = key,
	};

	msg_agent_status_set_write(&message, &json);
	event.data.text = buffer_str(&data);
	msg_event_write(&event, &envelope);
	buffer_free(&data);
	free(key);
}

void agent_event_wish(const struct store_status *status, int64_t at_ms, struct buffer *out)
{
	struct json_writer json = json_writer_init(out);

	json_begin_object(&json);
	json_field_int(&json, "v", 1);
	json_field_str(&json, "extension", status->extension);
	json_field_bool(&json, "paused", status->availability != AVAILABILITY_AVAILABLE);
	json_field_str(&json, "reason", availability_name(status->availability));
	json_field_str(&json, "by", status->by);
	json_field_int(&json, "at", at_ms);
	if (status->request_id != NULL)
		json_field_str(&json, "requestId", status->request_id);
	json_end_object(&json);
}
