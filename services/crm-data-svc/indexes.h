/* The indexes that lists, searches and figures need. */
#ifndef CRM_DATA_SVC_INDEXES_H
#define CRM_DATA_SVC_INDEXES_H

#include "db.h"

/* Makes those that are missing; harmless to repeat. On a thread of the pool. When one cannot be
   made db->error names it. */
DB_MUST enum db_result indexes_make(struct db *db);

#endif
