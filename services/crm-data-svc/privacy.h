/* Everything that is kept of one client. On a thread of the pool. */
#ifndef CRM_DATA_SVC_PRIVACY_H
#define CRM_DATA_SVC_PRIVACY_H

#include "record.h"

/* {"client", "contacts": [...], "interactions": [...], ...} as people get them. */
DB_MUST enum db_result privacy_gather(struct db *db, const cJSON *client, cJSON **all_r);
/* Takes every personal field out of the client and of what belongs to it, and their histories; what
   is left (how many calls, how long) tells nothing of the person. May be repeated. */
DB_MUST enum db_result privacy_erase(struct db *db, const cJSON *client, const struct actor *actor,
				     int64_t *records_r);

#endif
