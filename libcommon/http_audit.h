/* The audit of what people do beyond their own: an entry of the stream audit, which auth-svc keeps
   in MariaDB. auth-svc writes those of users and sessions by itself. */
#ifndef COMMON_HTTP_AUDIT_H
#define COMMON_HTTP_AUDIT_H

#include "http_server.h"
#include "redis_link.h"

/* Done by who has sent this request. action: "noun:past"; subject: "call:<callId>", "webhook:<id>";
   detail: text, or NULL. Returns 0, or -1 when it could not be written. */
int http_audit(struct redis_link *link, struct http_request *request, const char *action,
	       const char *subject, const char *detail);

#endif
