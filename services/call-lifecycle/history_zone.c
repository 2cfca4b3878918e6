#include "history_zone.h"

#include "json.h"
#include "log.h"
#include "mem.h"
#include "sql_script.h"

#include <stdlib.h>
#include <string.h>

SQL_SCRIPT_EMBED(text_rebuild_days, "rebuild_days");

/* Those that are kept no longer are forgotten: should they come back, their sums lack what came
   meanwhile. */
static const char sql_forget[] = "DELETE FROM stats_zone WHERE id > ?";
static const char sql_zones[] = "SELECT id, zone FROM stats_zone";
static const char sql_range[] = "SELECT MIN(at), MAX(at) FROM ("
				"SELECT at FROM stats_queue WHERE step = 0 UNION ALL "
				"SELECT at FROM stats_agent WHERE step = 0 UNION ALL "
				"SELECT at FROM stats_trunk WHERE step = 0) AS every";
static const char sql_set[] = "SET @zone = ?, @days = ?, @step = ?";

struct change {
	struct sql_pool *sql;
	const struct zones *zones;
	size_t at; /* which of them is made anew */
	void (*fn)(bool right, void *context);
	void *context;
};

static void finish(struct change *change, const struct sql_result *result)
{
	if (result->status != SQL_OK)
		log_error("the zones of the sums could not be set",
			  log_str("reason", result->error));
	change->fn(result->status == SQL_OK, change->context);
	free(change);
}

static void look(struct change *change);

static void on_rebuilt(const struct sql_result *result, void *context)
{
	if (result->status == SQL_OK)
		look(context);
	else
		finish(context, result);
}

static void write_days(struct buffer *out, const char *zone, int64_t from, int64_t to)
{
	struct json_writer writer = json_writer_init(out);

	json_begin_array(&writer);
	for (int64_t at = zone_begin(zone, ZONE_DAY, from); from > 0 && at <= to;) {
		int64_t next = zone_next(zone, ZONE_DAY, at);

		json_begin_object(&writer);
		json_field_int(&writer, "step", 0);
		json_field_int(&writer, "at", at);
		json_field_int(&writer, "until", next);
		json_end_object(&writer);
		at = next;
	}
	json_end_array(&writer);
}

static void rebuild(struct change *change, int64_t from, int64_t to)
{
	static struct sql_script script;
	struct sql_statement statements[SQL_SCRIPT_MAX + 1];
	const char *zone = change->zones->names[change->at];
	struct sql_value values[3] = {sql_text(zone)};
	struct buffer days = {0};

	sql_script_load(&script, text_rebuild_days);
	write_days(&days, zone, from, to);
	values[1] = sql_text(buffer_str(&days));
	values[2] = sql_int((int64_t)change->at + 1);
	statements[0] = (struct sql_statement){sql_set, values, 3};
	for (size_t i = 0; i < script.count; i++)
		statements[i + 1] = (struct sql_statement){script.statements[i], NULL, 0};
	sql_transaction(change->sql, statements, script.count + 1, on_rebuilt, change);
	buffer_free(&days);
}

static void on_range(const struct sql_result *result, void *context)
{
	struct change *change = context;

	if (result->status == SQL_OK)
		rebuild(change, sql_cell(result, 0, 0)->number, sql_cell(result, 0, 1)->number);
	else
		finish(change, result);
}

static bool is_kept(const struct sql_result *result, const struct zones *zones, size_t at)
{
	for (size_t row = 0; row < result->rows; row++)
		if (sql_cell(result, row, 0)->number == (int64_t)at + 1 &&
		    strcmp(sql_cell(result, row, 1)->text, zones->names[at]) == 0)
			return true;
	return false;
}

/* The first that is not there is made, and then it is looked again. */
static void on_zones(const struct sql_result *result, void *context)
{
	struct change *change = context;

	change->at = 0;
	while (result->status == SQL_OK && change->at < change->zones->count &&
	       is_kept(result, change->zones, change->at))
		change->at++;
	if (result->status != SQL_OK || change->at == change->zones->count) {
		finish(change, result);
		return;
	}
	log_info("sums by day are made for another zone",
		 log_str("zone", change->zones->names[change->at]));
	sql_query(change->sql, sql_range, NULL, 0, on_range, change);
}

static void look(struct change *change)
{
	sql_query(change->sql, sql_zones, NULL, 0, on_zones, change);
}

static void on_forgotten(const struct sql_result *result, void *context)
{
	if (result->status == SQL_OK)
		look(context);
	else
		finish(context, result);
}

void history_zones_set(struct sql_pool *sql, const struct zones *zones,
		       void (*fn)(bool right, void *context), void *context)
{
	struct change *change = mem_new(struct change);
	const struct sql_value count = sql_int((int64_t)zones->count);

	*change = (struct change){sql, zones, 0, fn, context};
	sql_query(sql, sql_forget, &count, 1, on_forgotten, change);
}
