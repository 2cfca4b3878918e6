#include "history.h"

#include "log.h"
#include "loop.h"
#include "mem.h"
#include "store.h"
#include "transfer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TICK_MS 500
#define BATCH   50

static const char sql_insert[] =
	"INSERT IGNORE INTO transfer_history VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";

struct history {
	struct redis_link *link;
	struct sql_pool *pool;
	struct timer *tick;
	const struct sql_schema *schema;
	bool closed;
	size_t waiting; /* answers of Redis and MariaDB */
};

struct row {
	struct history *history;
	char id[TRANSFER_ID_MAX];
};

static void release(struct history *history)
{
	if (--history->waiting == 0 && history->closed)
		free(history);
}

/* ---- from Redis to MariaDB ---- */

static void on_inserted(const struct sql_result *result, void *context)
{
	struct row *row = context;
	struct history *history = row->history;

	if (result->status == SQL_OK && !history->closed)
		(void)store_saved(history->link, row->id);
	else if (result->status == SQL_FAILED)
		log_error("a transfer was not stored", log_str("transfer_id", row->id),
			  log_str("reason", result->error));
	free(row);
	release(history);
}

static struct sql_value time_or_null(int64_t at)
{
	return at != 0 ? sql_int(at) : sql_text(NULL);
}

static void insert(struct row *row, const struct transfer *transfer)
{
	const struct sql_value values[] = {
		sql_text(transfer->id),
		sql_text(transfer->call_id),
		sql_text(transfer->pbx),
		sql_text(kind_name(transfer->kind)),
		sql_text(transfer->by),
		sql_text(transfer->customer),
		sql_text(transfer->target),
		sql_text(state_name(transfer->state)),
		sql_text(transfer->reason),
		sql_text(transfer->user_id),
		sql_int(transfer->requested_at),
		time_or_null(transfer->ringing_at),
		time_or_null(transfer->answered_at),
		sql_int(transfer->ended_at),
		sql_int(transfer->conference),
	};

	sql_query(row->history->pool, sql_insert, values, HISTORY_COLUMNS, on_inserted, row);
}

static void on_transfer(const redisReply *reply, void *context)
{
	struct row *row = context;
	struct history *history = row->history;
	struct transfer transfer;

	if (!history->closed && transfer_read(&transfer, reply)) {
		insert(row, &transfer);
		return;
	}
	if (!history->closed && reply != NULL)
		(void)store_saved(history->link, row->id); /* it is gone */
	free(row);
	release(history);
}

static void on_unsaved(const redisReply *reply, void *context)
{
	struct history *history = context;

	for (size_t i = 0; reply != NULL && reply->type == REDIS_REPLY_ARRAY &&
			   i < reply->elements && !history->closed;
	     i++) {
		struct row *row = mem_new(struct row);

		row->history = history;
		snprintf(row->id, sizeof(row->id), "%s", reply->element[i]->str);
		history->waiting++;
		if (store_get(history->link, row->id, on_transfer, row) < 0)
			on_transfer(NULL, row);
	}
	release(history);
}

static void on_tick(void *context)
{
	struct history *history = context;

	if (!sql_schema_is_ready(history->schema) || history->waiting > 0)
		return;
	history->waiting++;
	if (store_unsaved(history->link, BATCH, on_unsaved, history) < 0)
		history->waiting--;
}

/* ---- reading ---- */

#define WHERE                                                                                      \
	" FROM transfer_history WHERE requested_at >= ? AND requested_at < ? "                     \
	"AND (? IS NULL OR from_extension = ?) AND (? IS NULL OR kind = ?) "                       \
	"AND (? IS NULL OR target = ?) AND (? IS NULL OR result = ?) "                             \
	"AND (? IS NULL OR FIND_IN_SET(from_extension, ?)) AND (? IS NULL OR reason = ?) "         \
	"AND (? IS NULL OR call_id = ?) AND (? IS NULL OR customer = ?) "
#define WHERE_TEXTS  8
#define WHERE_VALUES (2 + 2 * WHERE_TEXTS)

static const char sql_list[] =
	"SELECT transfer_id, call_id, pbx, kind, from_extension, customer, target, result, reason, "
	"requested_by, requested_at, ringing_at, answered_at, ended_at, conference" WHERE
	"AND (requested_at < ? OR (requested_at = ? AND transfer_id < ?)) "
	"ORDER BY requested_at DESC, transfer_id DESC LIMIT ?";

#define SUMS(key)                                                                                  \
	"SELECT " key ", COUNT(*), CAST(SUM(result = 'completed') AS SIGNED), "                    \
	"CAST(SUM(result = 'failed') AS SIGNED), CAST(SUM(result = 'cancelled') AS SIGNED), "      \
	"CAST(SUM(result = 'rolled_back') AS SIGNED), "                                            \
	"CAST(SUM(result = 'abandoned') AS SIGNED), COUNT(answered_at), "                          \
	"CAST(COALESCE(SUM(answered_at - requested_at), 0) AS SIGNED)" WHERE                       \
	"GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT 1000"

static const char *const sql_sums[] = {
	[HISTORY_BY_KIND] = SUMS("kind"),
	[HISTORY_BY_AGENT] = SUMS("from_extension"),
	[HISTORY_BY_TARGET] = SUMS("target"),
	[HISTORY_BY_RESULT] = SUMS("result"),
	[HISTORY_BY_REASON] = SUMS("reason"),
	[HISTORY_BY_DAY] = SUMS("CAST(DATE(FROM_UNIXTIME(requested_at DIV 1000)) AS CHAR)"),
	[HISTORY_BY_HOUR] = SUMS("CAST(requested_at DIV 3600000 * 3600000 AS CHAR)"),
};

static void fill(const struct history_filter *filter, struct sql_value values[WHERE_VALUES])
{
	const char *const texts[WHERE_TEXTS] = {
		filter->extension, filter->kind,   filter->target,  filter->result,
		filter->seen,      filter->reason, filter->call_id, filter->customer,
	};

	values[0] = sql_int(filter->from);
	values[1] = sql_int(filter->to != 0 ? filter->to : INT64_MAX);
	for (size_t i = 0; i < WHERE_TEXTS; i++)
		values[2 + i * 2] = values[3 + i * 2] = sql_text(texts[i]);
}

void history_list(struct history *history, const struct history_filter *filter, size_t limit,
		  sql_done_fn *done, void *context)
{
	struct sql_value values[WHERE_VALUES + 4];
	int64_t before = filter->before_at != 0 ? filter->before_at : INT64_MAX;

	fill(filter, values);
	values[WHERE_VALUES] = values[WHERE_VALUES + 1] = sql_int(before);
	values[WHERE_VALUES + 2] = sql_text(filter->before_id != NULL ? filter->before_id : "");
	values[WHERE_VALUES + 3] = sql_int((int64_t)limit);
	sql_query(history->pool, sql_list, values, WHERE_VALUES + 4, done, context);
}

void history_sums(struct history *history, enum history_group group,
		  const struct history_filter *filter, sql_done_fn *done, void *context)
{
	struct sql_value values[WHERE_VALUES];

	fill(filter, values);
	sql_query(history->pool, sql_sums[group], values, WHERE_VALUES, done, context);
}

/* ---- life ---- */

struct history *history_open(uv_loop_t *loop, struct redis_link *link, struct sql_pool *pool,
			     const struct sql_schema *schema)
{
	struct history *history = mem_new(struct history);

	history->link = link;
	history->pool = pool;
	history->schema = schema;
	history->tick = timer_start(loop, TICK_MS, TICK_MS, on_tick, history);
	return history;
}

void history_close(struct history **_history)
{
	struct history *history = *_history;

	*_history = NULL;
	if (history == NULL)
		return;
	timer_stop(&history->tick);
	history->closed = true;
	if (history->waiting == 0)
		free(history);
}
