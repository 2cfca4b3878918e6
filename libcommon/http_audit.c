#include "http_audit.h"

#include "clock.h"
#include "json.h"
#include "log.h"

#define KEPT "100000" /* entries, about */

int http_audit(struct redis_link *link, struct http_request *request, const char *action,
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
	sent = redis_link_command(link, NULL, NULL, "XADD audit MAXLEN ~ " KEPT " * a %b",
				  text.data, text.len);
	buffer_free(&text);
	if (sent < 0)
		log_warn("audit not written", log_str("action", action),
			 log_str("user", who->username), log_str("subject", subject));
	return sent;
}
