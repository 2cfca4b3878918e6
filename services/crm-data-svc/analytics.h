/* Sums over interactions. On a thread of the pool. */
#ifndef CRM_DATA_SVC_ANALYTICS_H
#define CRM_DATA_SVC_ANALYTICS_H

#include "db.h"
#include "scope.h"

/* All borrowed; NULL where nothing was said. */
struct analytics_query {
	const char *by;             /* what to group by */
	const char *since, *until;  /* Unix ms, of startedAt */
	const char *agent, *kind;   /* only these */
	const char *offset_minutes; /* of the time zone, for days and longer */
	const struct scope *scope;
};

bool analytics_is_good(const struct analytics_query *query);
/* {"by", "groups": [{"key", "talkMs", "durationMs", and as totals}], "totals": {"count",
   "resolved", "repeat", "firstContactResolved", "firstContact"}}; spans of time in their order,
   other groups with the most first. */
DB_MUST enum db_result analytics_run(struct db *db, const struct analytics_query *query,
				     cJSON **reply_r);

#endif
