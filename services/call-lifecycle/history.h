/* The history: follows events:call and events:agent, and writes what has ended to MariaDB in
   batches, each ended call exactly once. How far the streams are read stands in MariaDB, in the
   transaction of each batch: so a lost answer, a restart or a second instance double nothing, and
   while MariaDB is away the streams wait. Nothing else of the daemon depends on it. */
#ifndef LIFECYCLE_HISTORY_H
#define LIFECYCLE_HISTORY_H

#include "health.h"
#include "metrics.h"
#include "redis_settings.h"
#include "sql.h"
#include "zone.h"

#include <uv.h>

struct history;

struct history_settings {
	const struct redis_settings *redis; /* all borrowed */
	struct sql_pool *sql;
	const char *instance;
	const struct zones *zones; /* of the sums by day */
	int64_t lease_ttl_ms;
	int64_t keep_days; /* 0: for ever */
	int batch_max;
	struct health *health;
	struct metrics *metrics;
};

struct history *history_open(uv_loop_t *loop, const struct history_settings *set);
/* MariaDB can be reached and has the tables, or not. */
void history_database(struct history *history, bool up);
/* Nothing more is read. */
void history_drain(struct history *history);
/* To be asked until it is true: nothing is under way, and the lease is given back. */
bool history_drained(struct history *history);
void history_close(struct history **history);

#endif
