/* GET /api/admin/audit: who did what, from where, the newest first. */
#include "log.h"
#include "mem.h"
#include "replies.h"
#include "routes.h"
#include "service.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WORD_MAX 100

static const char sql_list[] =
	"SELECT id, at, actor_id, actor, address, action, subject, detail FROM audit WHERE id < ? "
	"AND at >= ? AND at <= ? AND (? IS NULL OR actor = ?) AND (? IS NULL OR action = ?) "
	"AND (? IS NULL OR subject = ?) ORDER BY id DESC LIMIT ?";

static const char *const columns[] = {"id",      "at",     "actorId", "actor",
				      "address", "action", "subject", "detail"};
#define COLUMNS (sizeof(columns) / sizeof(columns[0]))

struct list {
	struct http_request *request;
	size_t limit;
};

static void write_cell(struct json_writer *json, size_t column, const struct sql_value *value)
{
	char id[24];

	if (column == 0) {
		snprintf(id, sizeof(id), "%lld", (long long)value->number);
		json_field_str(json, columns[column], id);
	} else if (value->kind == SQL_INT) {
		json_field_int(json, columns[column], value->number);
	} else if (value->kind == SQL_TEXT && value->len > 0) {
		json_field_str(json, columns[column], value->text);
	}
}

static void write_page(const struct sql_result *sql, size_t limit, struct json_writer *json)
{
	size_t shown = sql->rows < limit ? sql->rows : limit;
	char cursor[24] = "";

	json_begin_object(json);
	json_key(json, "entries");
	json_begin_array(json);
	for (size_t row = 0; row < shown; row++) {
		json_begin_object(json);
		for (size_t column = 0; column < COLUMNS; column++)
			write_cell(json, column, sql_cell(sql, row, column));
		json_end_object(json);
	}
	json_end_array(json);
	if (sql->rows > limit)
		snprintf(cursor, sizeof(cursor), "%lld",
			 (long long)sql_cell(sql, shown - 1, 0)->number);
	json_field_str(json, "nextCursor", cursor[0] != '\0' ? cursor : NULL);
	json_end_object(json);
}

static void on_rows(const struct sql_result *sql, void *context)
{
	struct list *list = context;
	struct buffer body = {0};
	struct json_writer json = json_writer_init(&body);

	if (sql->status == SQL_OK) {
		write_page(sql, list->limit, &json);
		http_reply_json(list->request, 200, &body);
	} else {
		if (sql->status == SQL_FAILED)
			log_error("a statement failed", log_str("reason", sql->error));
		reply_unavailable(list->request);
	}
	free(list);
}

/* ---- what is asked ---- */

/* Absent leaves it. False: 400 was replied. */
static bool read_number(struct http_request *request, const char *name, const char *text,
			int64_t *out)
{
	size_t digits = text != NULL ? strspn(text, "0123456789") : 0;

	if (text == NULL)
		return true;
	*out = strtoll(text, NULL, 10);
	if (digits > 0 && digits <= 18 && text[digits] == '\0')
		return true;
	http_reply_error(request, 400, "bad_request", "%s is not valid", name);
	return false;
}

/* *value_r: SQL NULL when it is absent. False: 400 was replied. */
static bool read_word(struct http_request *request, const char *name, struct sql_value *value_r)
{
	const char *text = http_query(request, name);

	*value_r = sql_text(text);
	if (text == NULL || (text[0] != '\0' && strlen(text) <= WORD_MAX))
		return true;
	http_reply_error(request, 400, "bad_request", "%s must be 1 to %d bytes", name, WORD_MAX);
	return false;
}

void handle_audit_list(struct http_request *request, void *context)
{
	struct service *service = context;
	int64_t before = INT64_MAX, from = 0, to = INT64_MAX;
	struct sql_value actor, action, subject;
	struct http_page page;
	struct list *list;

	if (!http_page(request, &page) || !read_number(request, "cursor", page.cursor, &before) ||
	    !read_number(request, "from", http_query(request, "from"), &from) ||
	    !read_number(request, "to", http_query(request, "to"), &to) ||
	    !read_word(request, "actor", &actor) || !read_word(request, "action", &action) ||
	    !read_word(request, "subject", &subject))
		return;
	struct sql_value values[] = {sql_int(before), sql_int(from),
				     sql_int(to),     actor,
				     actor,           action,
				     action,          subject,
				     subject,         sql_int((int64_t)page.limit + 1)};

	list = mem_new(struct list);
	*list = (struct list){request, page.limit};
	sql_query(service->sql, sql_list, values, sizeof(values) / sizeof(values[0]), on_rows,
		  list);
}
