#include "sql_rows.h"

#include "mem.h"

#include <stdlib.h>

struct column {
	bool is_int;
	long long number;
	unsigned long len;
	my_bool is_null;
};

static bool is_int(enum enum_field_types type)
{
	return type == MYSQL_TYPE_TINY || type == MYSQL_TYPE_SHORT || type == MYSQL_TYPE_INT24 ||
	       type == MYSQL_TYPE_LONG || type == MYSQL_TYPE_LONGLONG || type == MYSQL_TYPE_YEAR;
}

/* Texts are bound with no room: the fetch tells their length, then append_text() asks for them. */
static void bind_column(const MYSQL_FIELD *field, struct column *column, MYSQL_BIND *bind)
{
	column->is_int = is_int(field->type);
	*bind = (MYSQL_BIND){.buffer_type =
				     column->is_int ? MYSQL_TYPE_LONGLONG : MYSQL_TYPE_STRING,
			     .buffer = column->is_int ? &column->number : NULL,
			     .length = &column->len,
			     .is_null = &column->is_null};
}

/* The offset goes into number until all texts are there and the buffer stays where it is. */
static int append_text(struct sql_rows *rows, MYSQL_STMT *statement, unsigned index,
		       unsigned long len, struct sql_value *cell_r)
{
	char *room = buffer_reserve(&rows->text, len + 1);
	my_bool is_null = 0;
	MYSQL_BIND bind = {.buffer_type = MYSQL_TYPE_STRING,
			   .buffer = room,
			   .buffer_length = len,
			   .length = &len,
			   .is_null = &is_null};

	*cell_r = (struct sql_value){SQL_TEXT, (int64_t)rows->text.len, NULL, len};
	if (len > 0 && mysql_stmt_fetch_column(statement, &bind, index, 0) != 0)
		return -1;
	room[len] = '\0';
	rows->text.len += len + 1;
	return 0;
}

static struct sql_value *append_cell(struct sql_rows *rows)
{
	if (rows->count == rows->cap) {
		rows->cap = rows->cap > 0 ? rows->cap * 2 : 16;
		rows->cells = mem_grow(rows->cells, rows->cap * sizeof(*rows->cells));
	}
	return &rows->cells[rows->count++];
}

static int read_row(struct sql_rows *rows, MYSQL_STMT *statement, const struct column *columns,
		    size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct sql_value *cell = append_cell(rows);

		if (columns[i].is_null)
			*cell = (struct sql_value){SQL_NULL, 0, NULL, 0};
		else if (columns[i].is_int)
			*cell = sql_int(columns[i].number);
		else if (append_text(rows, statement, (unsigned)i, columns[i].len, cell) < 0)
			return -1;
	}
	return 0;
}

static void settle_texts(struct sql_rows *rows)
{
	for (size_t i = 0; i < rows->count; i++) {
		struct sql_value *cell = &rows->cells[i];

		if (cell->kind != SQL_TEXT)
			continue;
		cell->text = rows->text.data + cell->number;
		cell->number = 0;
	}
}

static int read_rows(struct sql_rows *rows, MYSQL_STMT *statement, const MYSQL_RES *metadata,
		     struct sql_result *result_r)
{
	size_t count = result_r->columns;
	struct column *columns = mem_array(struct column, count);
	MYSQL_BIND *binds = mem_array(MYSQL_BIND, count);
	int status = 0, result = -1;

	for (size_t i = 0; i < count; i++)
		bind_column(&metadata->fields[i], &columns[i], &binds[i]);
	if (mysql_stmt_bind_result(statement, binds) == 0) {
		while ((status = mysql_stmt_fetch(statement)) == 0 ||
		       status == MYSQL_DATA_TRUNCATED) {
			if (read_row(rows, statement, columns, count) < 0)
				break;
			result_r->rows++;
		}
		result = status == MYSQL_NO_DATA ? 0 : -1;
	}
	free(columns);
	free(binds);
	return result;
}

int sql_rows_read(struct sql_rows *rows, MYSQL_STMT *statement, struct sql_result *result_r)
{
	MYSQL_RES *metadata = mysql_stmt_result_metadata(statement);
	int result;

	if (metadata == NULL)
		return mysql_stmt_errno(statement) == 0 ? 0 : -1;
	result_r->columns = mysql_num_fields(metadata);
	result = read_rows(rows, statement, metadata, result_r);
	mysql_free_result(metadata);
	settle_texts(rows);
	result_r->values = rows->cells;
	return result;
}

void sql_rows_free(struct sql_rows *rows)
{
	free(rows->cells);
	buffer_free(&rows->text);
	*rows = (struct sql_rows){0};
}
