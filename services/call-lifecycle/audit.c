#include "audit.h"

#include "call_view.h"
#include "http_audit.h"
#include "mem.h"

#include <stdlib.h>

bool audit(struct service *service, struct http_request *request, const char *action,
	   const char *subject, const char *detail)
{
	if (http_audit(service->link, request, action, subject, detail) == 0)
		return true;
	http_reply_error(request, 503, "unavailable", "Redis is away");
	return false;
}

bool audit_call(struct service *service, struct http_request *request, const char *action,
		const char *detail)
{
	char *subject = mem_printf("call:%s", call_view_text(call_view_of(request), "callId"));
	bool written = audit(service, request, action, subject, detail);

	free(subject);
	return written;
}

bool audit_others_call(struct service *service, struct http_request *request, const char *action)
{
	const struct principal *who = http_principal(request);

	return (who->extension[0] != '\0' &&
		call_view_has_extension(call_view_of(request), who->extension)) ||
	       audit_call(service, request, action, NULL);
}
