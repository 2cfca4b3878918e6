/* Questions to the sums of the history. */
#ifndef LIFECYCLE_NUMBERS_H
#define LIFECYCLE_NUMBERS_H

#include "json.h"
#include "sql.h"
#include "zone.h"

enum numbers_by {
	NUMBERS_BY_QUEUE,
	NUMBERS_BY_AGENT,
	NUMBERS_BY_TRUNK, /* name "": all calls */
};

struct numbers_question {
	enum numbers_by by;
	const char *name; /* NULL: each */
	/* Of agents, those with one of these extensions, parted by commas; NULL: all. together: as
	   one sum, whose name is "". */
	const char *seen;
	bool together;
	int64_t from, to; /* begins of intervals in the zone */
	enum zone_step step;
	const char *zone;
	int64_t days_step; /* of the sums by day of the zone; 0: none */
	int64_t service_level_s, short_abandon_s;
	size_t rows_max;
};

/* [{"at", "until", "step"}, ...]. Returns how many; more than max are not written. */
size_t numbers_intervals(const struct numbers_question *question, size_t max, struct buffer *out);
/* intervals: of numbers_intervals(). fn gets rows of at, name, and numbers_columns(). */
void numbers_ask(struct sql_pool *sql, const struct numbers_question *question,
		 const char *intervals, sql_done_fn *fn, void *context);
/* Ended by NULL. */
const char *const *numbers_columns(enum numbers_by by);
/* A row as members of an object that is begun: its sums, and what is made of them. */
void numbers_write(enum numbers_by by, const struct sql_result *result, size_t row,
		   struct json_writer *writer);

#endif
