/* When a client was last in touch, in "activity", one document for each client. It tells the screen
   pop what was last, and figures who comes back. On a thread of the pool. */
#ifndef CRM_DATA_SVC_ACTIVITY_H
#define CRM_DATA_SVC_ACTIVITY_H

#include "db.h"

/* {"lastAt", "lastId", "lastKind", "lastResult"?}; NULL when there was nothing. */
DB_MUST enum db_result activity_get(struct db *db, const char *client_id, cJSON **activity_r);
/* The interaction is the client's newest, unless a later one is known. Best effort: it is an aid,
   the interactions themselves are the truth. */
void activity_note(struct db *db, const cJSON *interaction);

#endif
