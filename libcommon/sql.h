/* MariaDB by its non-blocking API under the loop: a pool of connections, prepared statements, a
   bounded line of waiting work. Values are always bound, never pasted. */
#ifndef COMMON_SQL_H
#define COMMON_SQL_H

#include "sql_settings.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

struct sql_pool;

struct sql_value {
	enum {
		SQL_NULL,
		SQL_INT,
		SQL_TEXT
	} kind;
	int64_t number;
	const char *text; /* bytes, len long; NUL-terminated in results */
	size_t len;
};

static inline struct sql_value sql_int(int64_t number)
{
	return (struct sql_value){SQL_INT, number, NULL, 0};
}

struct sql_value sql_text(const char *text); /* NULL becomes SQL NULL */

struct sql_result {
	enum {
		SQL_OK,
		SQL_UNAVAILABLE,
		SQL_DUPLICATE,
		SQL_FAILED
	} status;
	const char *error; /* MariaDB's words, for the log; "" when OK */
	unsigned error_number;
	size_t columns, rows;
	const struct sql_value *values; /* rows * columns, row by row; borrowed for the call */
	uint64_t affected, insert_id;
};

static inline const struct sql_value *sql_cell(const struct sql_result *result, size_t row,
					       size_t column)
{
	return &result->values[row * result->columns + column];
}

/* result is borrowed for the call. */
typedef void sql_done_fn(const struct sql_result *result, void *context);

struct sql_statement {
	const char *text; /* static storage: it is the key of the prepared statement */
	const struct sql_value *values;
	size_t count;
};

/* settings must outlive the pool. on_state says when the first connection comes and the last goes;
 * may be NULL. */
struct sql_pool *sql_pool_open(uv_loop_t *loop, const struct sql_settings *settings,
			       void (*on_state)(bool up, const char *detail, void *context),
			       void *context);
/* Work under way is answered with SQL_UNAVAILABLE. */
void sql_pool_close(struct sql_pool **pool);
/* Values are copied. done is called exactly once, never before this returns. While no connection is
   up, or the line is full, the answer is SQL_UNAVAILABLE. */
void sql_query(struct sql_pool *pool, const char *text, const struct sql_value *values,
	       size_t count, sql_done_fn *done, void *context);
/* All statements in one transaction on one connection; done gets the first failure, or the last
 * result. */
void sql_transaction(struct sql_pool *pool, const struct sql_statement *statements, size_t count,
		     sql_done_fn *done, void *context);

#endif
