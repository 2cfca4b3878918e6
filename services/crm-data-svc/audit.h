/* Who read or changed which client, in the collection "audit": gathered for a moment and written
   together, what one does on the same way in one entry that names each client as often as it was
   touched. What could not be written is
   kept; when that is much, reads are to be refused. */
#ifndef CRM_DATA_SVC_AUDIT_H
#define CRM_DATA_SVC_AUDIT_H

#include "mongo.h"

#include "principal.h"

struct audit;

struct audit *audit_open(uv_loop_t *loop, struct mongo *mongo);
/* clients: a list of ids, copied. */
void audit_add(struct audit *audit, const struct principal *who, const char *address,
	       const char *method, const char *route, const cJSON *clients);
/* So much waits that nobody is to read any more until some of it was written. */
bool audit_is_full(const struct audit *audit);
/* Writes what waits; audit_idle() turns true when that is done. */
void audit_flush(struct audit *audit);
bool audit_idle(const struct audit *audit);
void audit_close(struct audit **audit);

#endif
