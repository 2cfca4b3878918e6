/* Custom fields of clients: what administrators have defined (records of the kind "field") is what
   "custom" may hold. On a thread of the pool. */
#ifndef CRM_DATA_SVC_CUSTOM_H
#define CRM_DATA_SVC_CUSTOM_H

#include "db.h"
#include "fields.h"

/* changed: what a request sets of custom. DB_OK with fault_r->code set: it does not fit. */
DB_MUST enum db_result custom_check(struct db *db, const cJSON *custom, struct fault *fault_r);

#endif
