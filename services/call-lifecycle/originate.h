/* A new call: a phone of ours rings first; answered, it is sent to a number or an application. */
#ifndef LIFECYCLE_ORIGINATE_H
#define LIFECYCLE_ORIGINATE_H

#include "http_server.h"
#include "ids.h"
#include "service.h"

#define ORIGINATE_VARIABLES_MAX 4

/* Strings are borrowed. */
struct originate {
	const char *pbx;
	const char *from;
	const char *to; /* the number to dial; of an application, what is shown as the
	      called party */
	const char *application, *argument; /* NULL: to is dialled */
	const char *caller_id;              /* "": Asterisk's own choice */
	int64_t timeout_ms;
	const char *variables[ORIGINATE_VARIABLES_MAX]; /* "NAME=value" */
	size_t variable_count;
	const char *more; /* further members of the answer as JSON text, or NULL */
	char id[ID_CALL_LEN + 1];
};

#define ORIGINATE_TIMEOUT_MS 30000

/* Gives it an id and sends it on its way: 202 {"callId", "state", ...more}, before any phone
   rings. */
void originate_send(struct service *service, struct http_request *request,
		    struct originate *originate);
/* What would be sent: 200, and nothing happens. */
void originate_show(struct service *service, struct http_request *request,
		    struct originate *originate);

#endif
