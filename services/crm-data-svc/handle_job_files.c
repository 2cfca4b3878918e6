/* What imports and exports leave: the lines that were refused, and the file. */
#include "job.h"
#include "json.h"
#include "mem.h"
#include "routes.h"
#include "task.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LOOKED_MAX 100 /* pieces, for one page */

/* ---- errors: the cursor is a piece and how many of its lines were given ---- */

/* Adds what a piece has from *skip on. False: the page is full, *skip says how far it came. */
static bool add_errors(cJSON *errors, cJSON *part, size_t limit, int64_t *skip)
{
	cJSON *list = cJSON_GetObjectItemCaseSensitive(part, "errors"), *item;

	while ((item = cJSON_GetArrayItem(list, (int)*skip)) != NULL) {
		if ((size_t)cJSON_GetArraySize(errors) == limit)
			return false;
		cJSON_AddItemToArray(errors, cJSON_Duplicate(item, true));
		(*skip)++;
	}
	*skip = 0;
	return true;
}

static void errors(struct db *db, struct task *task)
{
	cJSON *job = job_of_caller(db, task), *reply = cJSON_CreateObject(), *part;
	cJSON *list = cJSON_AddArrayToObject(reply, "errors");
	int64_t n = 0, skip = 0, until, looked = 0;
	enum db_result result = DB_OK;
	bool has_room = true;

	if (job == NULL) {
		cJSON_Delete(reply);
		return;
	}
	if (task->page.cursor != NULL)
		sscanf(task->page.cursor, "%" SCNd64 "-%" SCNd64, &n, &skip);
	until = json_get_int(job, "at", 0);
	for (; n >= 0 && n < until && has_room && looked < LOOKED_MAX; looked++) {
		part = NULL;
		result = job_get_part(db, json_get_str(job, "_id"), "errors", n, &part);
		has_room = add_errors(list, part, task->page.limit, &skip);
		cJSON_Delete(part);
		if (result != DB_OK && result != DB_NONE)
			break;
		n += has_room;
	}
	if (n >= 0 && n < until) {
		char *next = mem_printf("%" PRId64 "-%" PRId64, n, skip);

		cJSON_AddStringToObject(reply, "nextCursor", next);
		free(next);
	} else {
		cJSON_AddNullToObject(reply, "nextCursor");
	}
	task_reply(task, 200, reply);
	if (result != DB_OK && result != DB_NONE)
		task_refuse_db(task, result);
	cJSON_Delete(job);
}

void handle_job_errors(struct http_request *request, void *service)
{
	task_start(request, service, MONGO_FAST, errors);
}

/* ---- the file of an export, piece after piece ---- */

struct download {
	struct service *service;
	struct http_stream *stream; /* NULL: the client went away, or has not asked yet */
	char id[64];
	int64_t at, pieces;
	cJSON *part; /* owned: of the thread */
	enum db_result result;
	bool is_asking, is_gone;
};

static void get_part(struct db *db, void *_download)
{
	struct download *download = _download;

	download->result = job_get_part(db, download->id, "out", download->at, &download->part);
}

/* The end of a stream may release the download. */
static void on_part(void *_download)
{
	struct download *download = _download;
	struct service *service = download->service;
	struct http_stream *stream = download->stream;
	cJSON *part = download->part;
	struct buffer text = {0};
	bool is_last;

	download->part = NULL;
	download->is_asking = false;
	if (download->is_gone) {
		free(download);
	} else if (download->result != DB_OK) {
		http_stream_end(stream, false);
	} else {
		is_last = ++download->at == download->pieces;
		buffer_append_str(&text, json_get_str(part, "text"));
		http_stream_add(stream, &text);
		if (is_last)
			http_stream_end(stream, true);
	}
	cJSON_Delete(part);
	service_release(service);
}

static void on_wanted(struct http_stream *stream, void *_download)
{
	struct download *download = _download;

	download->stream = stream;
	download->is_asking = true;
	service_hold(download->service);
	if (mongo_run(download->service->mongo, MONGO_FAST, get_part, on_part, download) == 0)
		return;
	download->is_asking = false;
	service_release(download->service);
	http_stream_end(stream, false);
}

static void on_gone(void *_download)
{
	struct download *download = _download;

	download->is_gone = true;
	if (!download->is_asking)
		free(download);
}

static void send_file(struct task *task)
{
	const cJSON *job = task->reply;
	struct download *download = mem_new(struct download);
	bool is_csv = strcmp(json_get_str(job, "format"), "csv") == 0;

	download->service = task->service;
	download->pieces = json_get_int(job, "at", 0);
	snprintf(download->id, sizeof(download->id), "%s", json_get_str(job, "_id"));
	http_reply_header(task->request, "Cache-Control", "no-store");
	http_reply_header(task->request, "Content-Disposition",
			  is_csv ? "attachment; filename=\"export.csv\""
				 : "attachment; filename=\"export.jsonl\"");
	http_reply_stream(task->request, 200,
			  is_csv ? "text/csv; charset=utf-8" : "application/x-ndjson", on_wanted,
			  on_gone, download);
}

/* A file with clients in it goes to whoever asked for it, and to nobody else. */
static void result(struct db *db, struct task *task)
{
	cJSON *job = job_of_caller(db, task), *part = NULL;
	const char *state = json_get_str(job, "state");
	enum db_result result;

	if (job == NULL)
		return;
	if (strcmp(json_get_str(job, "type"), "export") != 0 ||
	    strcmp(json_get_str(job, "by"), task->scope.who.user_id) != 0) {
		task_refuse_db(task, DB_NONE);
	} else if (strcmp(state, "done") != 0) {
		task_refuse(task, 409, "not_ready", "It is not done, or has failed");
	} else {
		result = job_get_part(db, json_get_str(job, "_id"), "out", 0, &part);
		cJSON_Delete(part);
		if (result == DB_OK) {
			task->send = send_file;
			task_reply(task, 200, job);
			return;
		}
		if (result == DB_NONE)
			task_refuse(task, 410, "expired", "Its file was deleted");
		else
			task_refuse_db(task, result);
	}
	cJSON_Delete(job);
}

void handle_job_result(struct http_request *request, void *service)
{
	task_start(request, service, MONGO_FAST, result);
}
