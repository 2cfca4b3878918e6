/* What this service tells the others, on events:crm. */
#ifndef CRM_DATA_SVC_CRM_EVENT_H
#define CRM_DATA_SVC_CRM_EVENT_H

#include "buffer.h"

#include <cjson/cJSON.h>

/* type "crm:client_matched"; data is taken over. The others may be NULL. */
cJSON *crm_event_new(const char *type, const char *call_id, const char *extension, cJSON *data);
/* The envelope as text, for the stream. */
void crm_event_write(const cJSON *event, struct buffer *out);

#endif
