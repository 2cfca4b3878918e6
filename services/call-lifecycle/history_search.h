/* Questions to the history: lists with filters, from the newest to the oldest, and one call. */
#ifndef LIFECYCLE_HISTORY_SEARCH_H
#define LIFECYCLE_HISTORY_SEARCH_H

#include "http_server.h"
#include "json.h"
#include "sql.h"

#define HISTORY_CALL_ID_MAX 150

/* After this call; started_at INT64_MAX: from the newest. */
struct history_place {
	int64_t started_at;
	char call_id[HISTORY_CALL_ID_MAX + 1];
};

struct history_filter {
	int64_t from, to; /* begins, both included */
	/* "": any */
	char agent[41], number[41], queue[81], result[17], direction[11];
	char *seen; /* owned: calls with one of these extensions, parted by commas; NULL: all */
};

/* From ?from= to= number= agent= queue= result= direction=, and who asks. False: 400 or 403 was
   replied, and there is nothing to be freed. */
bool history_filter_read(struct http_request *request, struct history_filter *filter_r);
void history_filter_free(struct history_filter *filter);
/* "<startedAt>_<callId>". False: it is none. */
bool history_place_read(const char *cursor, struct history_place *place_r);
void history_place_write(const struct history_place *place, struct buffer *out);

/* fn gets rows for history_row_*(). */
void history_search(struct sql_pool *sql, const struct history_filter *filter,
		    const struct history_place *after, size_t limit, sql_done_fn *fn,
		    void *context);
/* One row, or none; history_row_is_of() tells whether one of the extensions (parted by commas) had
   a part in it. */
void history_find(struct sql_pool *sql, const char *call_id, const char *extensions,
		  sql_done_fn *fn, void *context);
void history_find_segments(struct sql_pool *sql, const char *call_id, sql_done_fn *fn,
			   void *context);
void history_find_recordings(struct sql_pool *sql, const char *call_id, sql_done_fn *fn,
			     void *context);

struct history_place history_row_place(const struct sql_result *result, size_t row);
/* Members of an object that is begun: what a call has in every list. */
void history_row_write(const struct sql_result *result, size_t row, struct json_writer *writer);
/* Of history_find(): its extensions, transfers, ... as members. */
void history_row_write_details(const struct sql_result *result, struct json_writer *writer);
bool history_row_is_of(const struct sql_result *result);
/* Answers of the other two, as arrays. */
void history_segments_write(const struct sql_result *result, struct json_writer *writer);
void history_recordings_write(const struct sql_result *result, struct json_writer *writer);
/* Lines of CSV: the names of the columns; a call. */
void history_csv_head(struct buffer *out);
void history_csv_row(const struct sql_result *result, size_t row, struct buffer *out);

#endif
