#include "sql_statements.h"

#include "mem.h"

#include <stdlib.h>

struct sql_prepared {
	const char *text;
	MYSQL_STMT *statement;
};

MYSQL_STMT *sql_statements_find(const struct sql_statements *statements, const char *text)
{
	for (size_t i = 0; i < statements->count; i++)
		if (statements->list[i].text == text)
			return statements->list[i].statement;
	return NULL;
}

MYSQL_STMT *sql_statements_add(struct sql_statements *statements, const char *text, MYSQL *mysql)
{
	size_t size = (statements->count + 1) * sizeof(*statements->list);
	MYSQL_STMT *statement = mysql_stmt_init(mysql);

	if (statement == NULL)
		abort(); /* as mem.h does: only without memory */
	statements->list = mem_grow(statements->list, size);
	statements->list[statements->count++] = (struct sql_prepared){text, statement};
	return statement;
}

void sql_statements_drop_last(struct sql_statements *statements)
{
	mysql_stmt_close(statements->list[--statements->count].statement);
}

void sql_statements_free(struct sql_statements *statements)
{
	for (size_t i = 0; i < statements->count; i++)
		mysql_stmt_close(statements->list[i].statement);
	free(statements->list);
	*statements = (struct sql_statements){0};
}

static MYSQL_BIND bind_value(const struct sql_value *value)
{
	if (value->kind == SQL_INT)
		return (MYSQL_BIND){.buffer_type = MYSQL_TYPE_LONGLONG,
				    .buffer = (void *)&value->number};
	if (value->kind == SQL_TEXT)
		return (MYSQL_BIND){.buffer_type = MYSQL_TYPE_STRING,
				    .buffer = (void *)value->text,
				    .buffer_length = value->len};
	return (MYSQL_BIND){.buffer_type = MYSQL_TYPE_NULL};
}

int sql_bind(MYSQL_STMT *statement, const struct sql_value *values, size_t count)
{
	MYSQL_BIND *binds;
	int result;

	if (mysql_stmt_param_count(statement) != count)
		return -1;
	if (count == 0)
		return 0;
	binds = mem_array(MYSQL_BIND, count);
	for (size_t i = 0; i < count; i++)
		binds[i] = bind_value(&values[i]);
	result = mysql_stmt_bind_param(statement, binds) == 0 ? 0 : -1; /* copies the binds */
	free(binds);
	return result;
}
