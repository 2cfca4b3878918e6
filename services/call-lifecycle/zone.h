/* Time zones, by their names in the machine's tz database: where days and months begin. Changes the
   process's TZ, so nothing else in it may depend on that. */
#ifndef LIFECYCLE_ZONE_H
#define LIFECYCLE_ZONE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ZONE_NAME_MAX 64
#define ZONES_MAX     9

/* Those in which sums by day are kept: the sums of names[i] have the step i + 1. */
struct zones {
	size_t count;
	const char *names[ZONES_MAX];
};

/* There is such a zone ("Europe/Berlin", "UTC"). */
bool zone_is_known(const char *name);

/* The step of the sums by day of the zone; 0: none are kept. */
int64_t zones_step(const struct zones *zones, const char *zone);

enum zone_step {
	ZONE_QUARTER, /* 15 min */
	ZONE_HOUR,
	ZONE_DAY,
	ZONE_WEEK, /* from Monday */
	ZONE_MONTH,
};

/* Begin of the step that at (Unix ms) lies in, and of the one after it. */
int64_t zone_begin(const char *zone, enum zone_step step, int64_t at);
int64_t zone_next(const char *zone, enum zone_step step, int64_t at);

#endif
