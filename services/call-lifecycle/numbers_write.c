/* Sums, and the shares and means that docs/metrics.md defines. */
#include "numbers.h"

#include "ratio.h"

#include <string.h>

struct row {
	enum numbers_by by;
	const struct sql_value *cells;
};

static int64_t sum(const struct row *row, const char *name)
{
	const char *const *names = numbers_columns(row->by);

	for (size_t i = 0; names[i] != NULL; i++)
		if (strcmp(names[i], name) == 0)
			return row->cells[2 + i].kind == SQL_INT ? row->cells[2 + i].number : 0;
	return 0;
}

static void write_queue(const struct row *row, struct json_writer *writer)
{
	int64_t counted = sum(row, "offered") - sum(row, "shortAbandoned");

	ratio_write(writer, "serviceLevel", sum(row, "inServiceLevel"), counted);
	ratio_write(writer, "abandonRate", sum(row, "abandoned") - sum(row, "shortAbandoned"),
		    counted);
	mean_write(writer, "asaMs", sum(row, "waitMs"), sum(row, "answered"));
	mean_write(writer, "averageAbandonWaitMs", sum(row, "abandonWaitMs"),
		   sum(row, "abandoned"));
	mean_write(writer, "ahtMs", sum(row, "talkMs") + sum(row, "wrapUpMs"),
		   sum(row, "connected"));
}

static void write_agent(const struct row *row, struct json_writer *writer)
{
	int64_t handled = sum(row, "answered") + sum(row, "outgoingAnswered");
	int64_t at_work = sum(row, "busyMs") + sum(row, "wrapUpMs");
	int64_t ready = at_work + sum(row, "ringingMs") + sum(row, "availableMs");

	json_field_int(writer, "missed", sum(row, "offered") - sum(row, "answered"));
	json_field_int(writer, "handled", handled);
	json_field_int(writer, "loggedInMs", ready + sum(row, "pausedMs"));
	mean_write(writer, "ahtMs", sum(row, "talkMs") + sum(row, "wrapUpMs"), handled);
	mean_write(writer, "averageRingMs", sum(row, "ringMs"), sum(row, "offered"));
	ratio_write(writer, "occupancy", at_work, ready);
}

static void write_trunk(const struct row *row, struct json_writer *writer)
{
	mean_write(writer, "averageAnswerMs", sum(row, "answerWaitMs"), sum(row, "answered"));
	mean_write(writer, "averageTalkMs", sum(row, "talkMs"), sum(row, "answered"));
	ratio_write(writer, "answerRate", sum(row, "answered"), sum(row, "calls"));
}

void numbers_write(enum numbers_by by, const struct sql_result *result, size_t row,
		   struct json_writer *writer)
{
	static void (*const writers[])(const struct row *, struct json_writer *) = {
		[NUMBERS_BY_QUEUE] = write_queue,
		[NUMBERS_BY_AGENT] = write_agent,
		[NUMBERS_BY_TRUNK] = write_trunk,
	};
	const char *const *names = numbers_columns(by);
	const struct row sums = {by, sql_cell(result, row, 0)};

	for (size_t i = 0; names[i] != NULL; i++)
		json_field_int(writer, names[i], sum(&sums, names[i]));
	writers[by](&sums, writer);
}
