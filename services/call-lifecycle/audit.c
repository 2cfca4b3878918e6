#include "audit.h"

#include "call_view.h"
#include "clock.h"
#include "json.h"
#include "mem.h"
#include "store.h"

#include <stdlib.h>

bool audit(struct service *service, struct http_request *request, const char *action,
	   const char *subject, const char *detail)
{
	const struct principal *who = http_principal(request);
	struct buffer text = {0};
	struct json_writer writer = json_writer_init(&text);
	int sent;

	json_begin_object(&writer);
	json_field_int(&writer, "v", 1);
	json_field_int(&writer, "at", clock_wall_ms());
	json_field_str(&writer, "actorId", who->user_id);
	json_field_str(&writer, "actor", who->username);
	json_field_str(&writer, "address", http_client_address(request));
	json_field_str(&writer, "action", action);
	json_field_str(&writer, "subject", subject);
	if (detail != NULL)
		json_field_str(&writer, "detail", detail);
	json_field_str(&writer, "requestId", http_request_id(request));
	json_end_object(&writer);
	sent = store_audit(service->link, buffer_str(&text), text.len);
	buffer_free(&text);
	if (sent < 0)
		http_reply_error(request, 503, "unavailable", "Redis is away");
	return sent == 0;
}

bool audit_call(struct service *service, struct http_request *request, const char *action,
		const char *detail)
{
	char *subject = mem_printf("call:%s", call_view_text(call_view_of(request), "callId"));
	bool written = audit(service, request, action, subject, detail);

	free(subject);
	return written;
}
