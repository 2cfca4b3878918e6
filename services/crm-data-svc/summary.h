/* A client in few words, for the screen of whose phone rings. On a thread of the pool. */
#ifndef CRM_DATA_SVC_SUMMARY_H
#define CRM_DATA_SVC_SUMMARY_H

#include "db.h"

/* {"id", "name", "type", "organisation"?, "tags"?, "language"?, "owner"?, "team"?, "contact"?:
   {"id", "name"}, "last"?: {"at", "kind", "result"?, "disposition"?, "subject"?}} */
cJSON *summary_of(struct db *db, const cJSON *client);

#endif
