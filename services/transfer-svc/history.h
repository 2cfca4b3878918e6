/* Transfers that are over, in MariaDB: table transfer_history. Written from Redis, where they wait
   as long as it takes; a row that is there already is the same. */
#ifndef TRANSFER_SVC_HISTORY_H
#define TRANSFER_SVC_HISTORY_H

#include "redis_link.h"
#include "sql.h"
#include "sql_schema.h"

#include <uv.h>

struct history;

/* All borrowed; nothing is written before the schema is ready. */
struct history *history_open(uv_loop_t *loop, struct redis_link *link, struct sql_pool *pool,
			     const struct sql_schema *schema);
void history_close(struct history **history);

/* Which rows; NULL or 0: any. */
struct history_filter {
	int64_t from, to; /* requested at, Unix ms: from <= it < to */
	const char *extension, *kind, *target, *result, *reason, *call_id, *customer;
	const char *seen;  /* begun by one of these extensions, parted by commas */
	int64_t before_at; /* paging: older than this, or of the same ms and a smaller id */
	const char *before_id;
};

/* Columns of history_list(), in order. */
enum {
	HISTORY_ID,
	HISTORY_CALL,
	HISTORY_PBX,
	HISTORY_KIND,
	HISTORY_FROM,
	HISTORY_CUSTOMER,
	HISTORY_TO,
	HISTORY_RESULT,
	HISTORY_REASON,
	HISTORY_REQUESTED_BY,
	HISTORY_REQUESTED_AT,
	HISTORY_RINGING_AT,
	HISTORY_ANSWERED_AT,
	HISTORY_ENDED_AT,
	HISTORY_CONFERENCE,
	HISTORY_COLUMNS
};

void history_list(struct history *history, const struct history_filter *filter, size_t limit,
		  sql_done_fn *done, void *context);

enum history_group {
	HISTORY_BY_KIND,
	HISTORY_BY_AGENT,
	HISTORY_BY_TARGET,
	HISTORY_BY_RESULT,
	HISTORY_BY_REASON,
	HISTORY_BY_DAY,
	HISTORY_BY_HOUR, /* Unix ms of its beginning */
	HISTORY_GROUPS
};

/* Columns of history_sums(): what they have in common, and numbers. */
enum {
	HISTORY_SUM_KEY,
	HISTORY_SUM_TOTAL,
	HISTORY_SUM_COMPLETED,
	HISTORY_SUM_FAILED,
	HISTORY_SUM_CANCELLED,
	HISTORY_SUM_ROLLED_BACK,
	HISTORY_SUM_ABANDONED,
	HISTORY_SUM_ANSWERED,
	HISTORY_SUM_ANSWER_MS, /* of all that were answered, together */
	HISTORY_SUM_COLUMNS
};

void history_sums(struct history *history, enum history_group group,
		  const struct history_filter *filter, sql_done_fn *done, void *context);

#endif
