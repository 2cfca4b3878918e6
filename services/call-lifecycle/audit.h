/* Who did what to somebody else's conversation: entries of the stream audit, kept by auth-svc. */
#ifndef LIFECYCLE_AUDIT_H
#define LIFECYCLE_AUDIT_H

#include "service.h"

/* action: "noun:past"; subject: "call:<callId>", "recording:<id>"; detail: text, or NULL. False: it
   could not be written, and a reply was sent: then it must not be done either. */
bool audit(struct service *service, struct http_request *request, const char *action,
	   const char *subject, const char *detail);
/* The subject is the call of the request. */
bool audit_call(struct service *service, struct http_request *request, const char *action,
		const char *detail);
/* The same, unless it is a call of who asks. */
bool audit_others_call(struct service *service, struct http_request *request, const char *action);

#endif
