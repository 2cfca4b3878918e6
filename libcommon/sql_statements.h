/* The prepared statements of one connection, found by the address of their text. */
#ifndef COMMON_SQL_STATEMENTS_H
#define COMMON_SQL_STATEMENTS_H

#include "sql.h"

#include <mysql.h>

struct sql_statements {
	struct sql_prepared *list; /* owned */
	size_t count;
};

/* NULL when this text is not there yet. */
MYSQL_STMT *sql_statements_find(const struct sql_statements *statements, const char *text);
/* A new one, to be prepared by the caller; owned by statements. */
MYSQL_STMT *sql_statements_add(struct sql_statements *statements, const char *text, MYSQL *mysql);
/* Closes the one that was added last: it could not be prepared. */
void sql_statements_drop_last(struct sql_statements *statements);
/* To be called after mysql_close(): then nothing is sent. */
void sql_statements_free(struct sql_statements *statements);
/* Binds the values, which must live until the statement was executed. Returns 0 or -1. */
int sql_bind(MYSQL_STMT *statement, const struct sql_value *values, size_t count)
	__attribute__((warn_unused_result));

#endif
