/* The zones in which the sums by day are made. */
#ifndef LIFECYCLE_HISTORY_ZONE_H
#define LIFECYCLE_HISTORY_ZONE_H

#include "sql.h"
#include "zone.h"

/* Makes them these: where a step was another zone's, its sums are made anew from those by 15
   minutes. fn is called once, never before this returns. zones is borrowed until then. */
void history_zones_set(struct sql_pool *sql, const struct zones *zones,
		       void (*fn)(bool right, void *context), void *context);

#endif
