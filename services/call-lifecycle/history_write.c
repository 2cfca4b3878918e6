#include "history_write.h"

#include "clock.h"
#include "sql_script.h"

#include <string.h>

SQL_SCRIPT_EMBED(text_write_batch, "write_batch");
SQL_SCRIPT_EMBED(text_prune, "prune");

static const char sql_position[] =
	"SELECT number, calls_upto, agents_upto FROM history_batches ORDER BY number DESC LIMIT 1";
static const char sql_batch[] =
	"INSERT INTO history_batches (number, calls_upto, agents_upto, calls, intervals, "
	"written_at) VALUES (?, ?, ?, ?, ?, ?)";
static const char sql_set[] =
	"SET @batch = ?, @calls = ?, @segments = ?, @parties = ?, @recordings = ?, @spans = ?, "
	"@pieces = ?, @steps = ?";
static const char sql_set_prune[] = "SET @before = ?, @batch = ?";

void history_ask_position(struct sql_pool *sql, sql_done_fn *fn, void *context)
{
	sql_query(sql, sql_position, NULL, 0, fn, context);
}

/* first, with its values, then the script. */
static void run_script(struct sql_pool *sql, const struct sql_statement *first, size_t count,
		       const struct sql_script *script, sql_done_fn *fn, void *context)
{
	struct sql_statement statements[SQL_SCRIPT_MAX + 4];

	memcpy(statements, first, count * sizeof(*first));
	for (size_t i = 0; script != NULL && i < script->count; i++)
		statements[count++] = (struct sql_statement){script->statements[i], NULL, 0};
	sql_transaction(sql, statements, count, fn, context);
}

void history_write(struct sql_pool *sql, const struct history_position *position,
		   struct history_batch *batch, sql_done_fn *fn, void *context)
{
	static struct sql_script script;
	const struct sql_value row[] = {
		sql_int(position->number + 1),
		sql_text(position->calls_upto),
		sql_text(position->agents_upto),
		sql_int(batch != NULL ? (int64_t)batch->calls.count : 0),
		sql_int(batch != NULL ? (int64_t)batch->spans.count : 0),
		sql_int(clock_wall_ms()),
	};
	struct sql_value lists[8] = {row[0]};
	const struct sql_statement first[] = {{sql_batch, row, 6}, {sql_set, lists, 8}};

	sql_script_load(&script, text_write_batch);
	if (batch == NULL) {
		run_script(sql, first, 1, NULL, fn, context);
		return;
	}
	lists[1] = sql_text(history_list_text(&batch->calls));
	lists[2] = sql_text(history_list_text(&batch->segments));
	lists[3] = sql_text(history_list_text(&batch->parties));
	lists[4] = sql_text(history_list_text(&batch->recordings));
	lists[5] = sql_text(history_list_text(&batch->spans));
	lists[6] = sql_text(history_list_text(&batch->pieces));
	lists[7] = sql_text(history_list_text(&batch->steps));
	run_script(sql, first, 2, &script, fn, context);
}

void history_prune(struct sql_pool *sql, int64_t before_at, int64_t batch_number, sql_done_fn *fn,
		   void *context)
{
	static struct sql_script script;
	const struct sql_value values[] = {sql_int(before_at), sql_int(batch_number)};
	const struct sql_statement first[] = {{sql_set_prune, values, 2}};

	sql_script_load(&script, text_prune);
	run_script(sql, first, 1, &script, fn, context);
}
