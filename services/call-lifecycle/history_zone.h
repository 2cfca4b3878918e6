/* The zone in which the sums by day are made. */
#ifndef LIFECYCLE_HISTORY_ZONE_H
#define LIFECYCLE_HISTORY_ZONE_H

#include "sql.h"

/* Makes it this one: when it was another, the sums by day are made anew from those by 15 minutes.
   fn is called once, never before this returns. zone is borrowed until then. */
void history_zone_set(struct sql_pool *sql, const char *zone, void (*fn)(bool right, void *context),
		      void *context);

#endif
