#include "handle_connections.h"

#include "service.h"

void handle_connections(struct http_request *request, void *context)
{
	const struct service *service = context;
	struct buffer body = {0};
	struct json_writer json = json_writer_init(&body);

	json_begin_object(&json);
	json_field_str(&json, "instance", service->daemon->instance);
	json_key(&json, "pbxs");
	json_begin_array(&json);
	for (size_t i = 0; i < service->count; i++)
		pbx_write(service->pbxs[i], &json);
	json_end_array(&json);
	json_end_object(&json);
	http_reply_json(request, 200, &body);
}
