/* /api/ami/calls/history: calls that have ended, from MariaDB. */
#include "history_search.h"
#include "ids.h"
#include "log.h"
#include "mem.h"
#include "reach.h"
#include "routes_numbers.h"
#include "service.h"

#include <stdlib.h>
#include <string.h>

#define CSV_PAGE 500 /* rows asked for at once */

/* False: 503 was replied. */
static bool is_there(struct service *service, struct http_request *request)
{
	bool there = service_has_history(service);

	if (!there)
		http_reply_error(request, 503, "unavailable", "The history is not available");
	return there;
}

static void refuse(struct http_request *request, const struct sql_result *result)
{
	if (result->status != SQL_UNAVAILABLE)
		log_error("a question to the history failed", log_str("reason", result->error));
	http_reply_error(request, 503, "unavailable", "The history is not available");
}

/* ---- a page ---- */

struct list {
	struct http_request *request;
	size_t limit;
};

static void write_page(const struct sql_result *result, size_t limit, struct buffer *body)
{
	struct json_writer writer = json_writer_init(body);
	size_t shown = result->rows < limit ? result->rows : limit;
	struct buffer cursor = {0};

	json_begin_object(&writer);
	json_key(&writer, "calls");
	json_begin_array(&writer);
	for (size_t i = 0; i < shown; i++) {
		json_begin_object(&writer);
		history_row_write(result, i, &writer);
		json_end_object(&writer);
	}
	json_end_array(&writer);
	if (result->rows > limit) {
		struct history_place place = history_row_place(result, shown - 1);

		history_place_write(&place, &cursor);
	}
	json_field_str(&writer, "nextCursor", cursor.len > 0 ? buffer_str(&cursor) : NULL);
	json_end_object(&writer);
	buffer_free(&cursor);
}

static void on_page(const struct sql_result *result, void *context)
{
	struct list *list = context;
	struct buffer body = {0};

	if (result->status == SQL_OK) {
		write_page(result, list->limit, &body);
		http_reply_json(list->request, 200, &body);
	} else {
		refuse(list->request, result);
	}
	free(list);
}

void handle_history_list(struct http_request *request, void *context)
{
	struct service *service = context;
	struct history_filter filter;
	struct history_place place;
	struct http_page page;
	struct list *list;

	if (!http_page(request, &page) || !is_there(service, request))
		return;
	if (!history_place_read(page.cursor, &place)) {
		http_reply_error(request, 400, "invalid_cursor", "the cursor is not one of ours");
		return;
	}
	if (!history_filter_read(request, &filter))
		return;
	list = mem_new(struct list);
	*list = (struct list){request, page.limit};
	/* One more than asked for: is there a next page? */
	history_search(service->sql, &filter, &place, page.limit + 1, on_page, list);
	history_filter_free(&filter);
}

/* ---- one call ---- */

struct one {
	struct service *service;
	struct http_request *request;
	char call_id[HISTORY_CALL_ID_MAX + 1];
	struct buffer body;
	struct json_writer writer;
};

static void one_free(struct one *one)
{
	buffer_free(&one->body);
	free(one);
}

static void one_refuse(struct one *one, const struct sql_result *result)
{
	refuse(one->request, result);
	one_free(one);
}

static void on_recordings(const struct sql_result *result, void *context)
{
	struct one *one = context;

	if (result->status != SQL_OK) {
		one_refuse(one, result);
		return;
	}
	json_key(&one->writer, "recordings");
	history_recordings_write(result, &one->writer);
	json_end_object(&one->writer);
	http_reply_json(one->request, 200, &one->body);
	one_free(one);
}

static void on_segments(const struct sql_result *result, void *context)
{
	struct one *one = context;

	if (result->status != SQL_OK) {
		one_refuse(one, result);
		return;
	}
	json_key(&one->writer, "segments");
	history_segments_write(result, &one->writer);
	history_find_recordings(one->service->sql, one->call_id, on_recordings, one);
}

static bool is_refused(struct one *one, const struct sql_result *result)
{
	if (result->rows == 0) {
		http_reply_error(one->request, 404, "call_not_found",
				 "no such call in the history");
		return true;
	}
	if (reach_is_all(http_principal(one->request), PERMISSION_ALL_CALLS) ||
	    history_row_is_of(result))
		return false;
	http_reply_error(one->request, 403, "not_your_call",
			 "neither your extension nor one of your teams was part of this call");
	return true;
}

static void on_found(const struct sql_result *result, void *context)
{
	struct one *one = context;

	if (result->status != SQL_OK) {
		one_refuse(one, result);
		return;
	}
	if (is_refused(one, result)) {
		one_free(one);
		return;
	}
	one->writer = json_writer_init(&one->body);
	json_begin_object(&one->writer);
	history_row_write(result, 0, &one->writer);
	history_row_write_details(result, &one->writer);
	history_find_segments(one->service->sql, one->call_id, on_segments, one);
}

void handle_history_get(struct http_request *request, void *context)
{
	struct service *service = context;
	const char *id = http_param(request, "callId");
	struct buffer seen = {0};
	struct one *one;

	if (!id_is_safe(id, HISTORY_CALL_ID_MAX)) {
		http_reply_error(request, 404, "call_not_found", "no call has such an id");
		return;
	}
	if (!is_there(service, request))
		return;
	one = mem_new(struct one);
	one->service = service;
	one->request = request;
	strcpy(one->call_id, id);
	reach_write(http_principal(request), PERMISSION_ALL_CALLS, &seen);
	history_find(service->sql, id, buffer_str(&seen), on_found, one);
	buffer_free(&seen);
}

/* ---- all that fits, as CSV ---- */

struct export
{
	struct sql_pool *sql;
	struct http_stream *stream; /* NULL: the client went away */
	struct history_filter filter;
	struct history_place place;
	bool asking;
};

static void export_free(struct export *export)
{
	history_filter_free(&export->filter);
	free(export);
}

static void on_csv_page(const struct sql_result *result, void *context)
{
	struct export *export = context;
	struct buffer lines = {0};

	export->asking = false;
	if (export->stream == NULL) {
		export_free(export);
		return;
	}
	for (size_t i = 0; result->status == SQL_OK && i < result->rows; i++)
		history_csv_row(result, i, &lines);
	if (result->status != SQL_OK) {
		http_stream_end(export->stream, false);
		return;
	}
	if (result->rows == CSV_PAGE)
		export->place = history_row_place(result, result->rows - 1);
	http_stream_add(export->stream, &lines);
	if (result->rows < CSV_PAGE)
		http_stream_end(export->stream, true);
}

static void on_csv_wanted(struct http_stream *stream, void *context)
{
	struct export *export = context;
	struct buffer head = {0};

	if (export->stream == NULL) {
		export->stream = stream;
		history_csv_head(&head);
		http_stream_add(stream, &head);
		return;
	}
	export->asking = true;
	history_search(export->sql, &export->filter, &export->place, CSV_PAGE, on_csv_page, export);
}

static void on_csv_gone(void *context)
{
	struct export *export = context;

	export->stream = NULL;
	if (!export->asking)
		export_free(export);
}

void handle_history_csv(struct http_request *request, void *context)
{
	struct service *service = context;
	struct history_filter filter;
	struct export *export;

	if (!is_there(service, request) || !history_filter_read(request, &filter))
		return;
	export = mem_new(struct export);
	export->sql = service->sql;
	export->filter = filter;
	export->place.started_at = INT64_MAX;
	http_reply_header(request, "Content-Disposition", "attachment; filename=\"calls.csv\"");
	http_reply_stream(request, 200, "text/csv; charset=utf-8", on_csv_wanted, on_csv_gone,
			  export);
}
