/* The stored rows of a prepared statement as struct sql_value. Whole numbers become SQL_INT, every
   other type SQL_TEXT. */
#ifndef COMMON_SQL_ROWS_H
#define COMMON_SQL_ROWS_H

#include "buffer.h"
#include "sql.h"

#include <mysql.h>

struct sql_rows {
	struct sql_value *cells; /* owned */
	size_t count, cap;
	struct buffer text; /* all texts, each with a NUL behind it */
};

/* Reads what mysql_stmt_store_result() fetched; nothing here waits. Fills columns, rows and values
   of result_r, which borrow from rows. Returns 0, or -1 when MariaDB's library says no. */
int sql_rows_read(struct sql_rows *rows, MYSQL_STMT *statement, struct sql_result *result_r)
	__attribute__((warn_unused_result));
void sql_rows_free(struct sql_rows *rows);

#endif
