#include "crm_event.h"

#include "clock.h"
#include "json.h"

#include "msg_event.h"

cJSON *crm_event_new(const char *type, const char *call_id, const char *extension, cJSON *data)
{
	cJSON *event = cJSON_CreateObject();

	cJSON_AddStringToObject(event, "type", type);
	if (call_id != NULL)
		cJSON_AddStringToObject(event, "callId", call_id);
	if (extension != NULL)
		cJSON_AddStringToObject(event, "extension", extension);
	cJSON_AddNumberToObject(event, "at", (double)clock_wall_ms());
	cJSON_AddItemToObject(event, "data", data);
	return event;
}

void crm_event_write(const cJSON *event, struct buffer *out)
{
	struct json_writer json = json_writer_init(out);
	const char *extension = json_get_str(event, "extension");
	struct msg_event message = {
		.event_type = json_get_str(event, "type"),
		.call_id = json_get_str(event, "callId"),
		.extension = extension,
		.timestamp = json_get_int(event, "at", 0),
		.data.tree = cJSON_GetObjectItemCaseSensitive(event, "data"),
		.redis_key = "events:crm", /* the state is in MongoDB */
	};

	if (extension != NULL) {
		message.extensions[0] = extension;
		message.extensions_count = 1;
	}
	msg_event_write(&message, &json);
}
