/* Imports and exports as people see them: begun, followed, ended. What they do is in job.h. */
#include "ids.h"
#include "job.h"
#include "job_input.h"
#include "jobs.h"
#include "json.h"
#include "list_filter.h"
#include "mem.h"
#include "routes.h"
#include "task.h"
#include "utf8.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* ---- a new one ---- */

/* What ?name= says of two words; NULL when it is neither. */
static const char *choose(const struct task *task, const char *name, const char *first,
			  const char *second)
{
	const char *text = http_query(task->request, name);

	if (text == NULL || strcmp(text, first) == 0)
		return first;
	return strcmp(text, second) == 0 ? second : NULL;
}

static bool read_kind(struct task *task)
{
	const char *of = http_query(task->request, "of");

	task->kind = of != NULL ? kind_find(of, strlen(of)) : &kinds[KIND_CLIENT];
	return task->kind != NULL && (task->kind->flags & KIND_PORTABLE) != 0;
}

static void add_first(struct task *task, const char *type, const char *format)
{
	task->draft = job_new(type, task->kind, &task->scope.who);
	cJSON_AddStringToObject(task->draft, "address", http_client_address(task->request));
	cJSON_AddStringToObject(task->draft, "format", format);
}

static void refuse(struct task *task, unsigned status, const char *code, const char *message)
{
	http_reply_error(task->request, status, code, "%s", message);
	task_free(task);
}

static void on_made(struct task *task)
{
	if (task->status == 202)
		jobs_add(task->service->jobs, json_get_str(task->reply, "id"));
}

static void insert(struct db *db, struct task *task)
{
	cJSON *job = task->draft;
	enum db_result result = db_insert(db, JOBS, job);

	if (result != DB_OK) {
		task_refuse_db(task, result);
		return;
	}
	task->draft = NULL;
	task->location = mem_printf("/api/crm/jobs/%s", json_get_str(job, "_id"));
	job_public(job);
	task_reply(task, 202, job);
}

/* ---- import ---- */

static const char *read_head(struct task *task, struct job_input *input)
{
	const char *fault = NULL;

	if (!input->is_csv)
		return NULL;
	if (csv_next(&input->csv) != CSV_RECORD)
		return "Its first line must name the columns";
	fault = lines_check_head(task->kind, &input->csv);
	if (fault == NULL)
		cJSON_AddItemToObject(
			task->draft, "columns",
			cJSON_CreateStringArray(input->csv.fields, (int)input->csv.count));
	return fault;
}

static enum db_result put_pieces(struct db *db, struct task *task, struct job_input *input)
{
	int64_t pieces = 0, lines = 0;
	enum db_result result = DB_OK;

	while (result == DB_OK && job_input_next(input, JOB_PIECE)) {
		cJSON *doc = cJSON_CreateObject();
		char *text = mem_strndup(input->text, input->len);

		cJSON_AddStringToObject(doc, "text", text);
		cJSON_AddNumberToObject(doc, "line", (double)input->line);
		result = job_put_part(db, task->draft, "in", pieces++, doc);
		lines += (int64_t)input->records;
		free(text);
	}
	cJSON_AddNumberToObject(task->draft, "pieces", (double)pieces);
	cJSON_AddNumberToObject(task->draft, "lines", (double)lines);
	return result;
}

static void import(struct db *db, struct task *task)
{
	bool is_csv = strcmp(json_get_str(task->draft, "format"), "csv") == 0;
	size_t len;
	const char *text = http_body(task->request, &len), *fault;
	struct job_input input;
	enum db_result result = DB_OK;

	if (text == NULL || !utf8_valid(text, len) || memchr(text, '\0', len) != NULL) {
		task_refuse(task, 400, "invalid_text", "The body must be text in UTF-8");
		return;
	}
	job_input_open(&input, text, len, is_csv);
	fault = read_head(task, &input);
	if (fault == NULL)
		result = put_pieces(db, task, &input);
	job_input_close(&input);
	if (fault == NULL && json_get_int(task->draft, "lines", 0) == 0)
		fault = "It has no lines";
	if (fault != NULL)
		task_refuse(task, 400, "invalid_file", fault);
	else if (result != DB_OK)
		task_refuse_db(task, result);
	else
		insert(db, task);
}

static const char *format_of(const struct http_request *request)
{
	const char *type = http_header(request, "Content-Type");

	if (type == NULL)
		return NULL;
	if (strncasecmp(type, "text/csv", 8) == 0)
		return "csv";
	return strncasecmp(type, "application/x-ndjson", 20) == 0 ||
			       strncasecmp(type, "application/jsonl", 17) == 0
		       ? "jsonl"
		       : NULL;
}

void handle_import(struct http_request *request, void *service)
{
	struct task *task = task_new(request, service);
	const char *format = format_of(request), *dry, *match;

	if (task == NULL)
		return;
	dry = choose(task, "dryRun", "false", "true");
	match = choose(task, "match", "id", "number");
	if (format == NULL) {
		refuse(task, 415, "unsupported_media_type",
		       "The body must be text/csv or application/x-ndjson");
	} else if (!read_kind(task) || dry == NULL || match == NULL) {
		refuse(task, 400, "bad_request",
		       "of must be clients, contacts, interactions, notes or callbacks, dryRun "
		       "true or false, match id or number");
	} else {
		add_first(task, "import", format);
		cJSON_AddBoolToObject(task->draft, "dryRun", dry[0] == 't');
		cJSON_AddStringToObject(task->draft, "match", match);
		task->settle = on_made;
		task_run(task, MONGO_SLOW, import);
	}
}

/* ---- export ---- */

static void export(struct db *db, struct task *task)
{
	bool is_csv = strcmp(json_get_str(task->draft, "format"), "csv") == 0;
	cJSON *definitions = NULL;
	enum db_result result = is_csv ? job_definitions(db, &definitions) : DB_OK;

	if (is_csv && result == DB_OK)
		cJSON_AddItemToObject(task->draft, "columns",
				      lines_columns(task->kind, definitions));
	cJSON_Delete(definitions);
	if (result == DB_OK)
		insert(db, task);
	else
		task_refuse_db(task, result);
}

void handle_export(struct http_request *request, void *service)
{
	struct task *task = task_new(request, service);
	const char *format;
	cJSON *filter = NULL;
	char *text;

	if (task == NULL)
		return;
	format = choose(task, "format", "csv", "jsonl");
	if (read_kind(task) && format != NULL)
		filter = list_filter(task);
	if (filter == NULL) {
		refuse(task, 400, "bad_request",
		       "of must be clients, contacts, interactions, notes or callbacks, format "
		       "csv or jsonl; or a filter has a value that cannot be");
		return;
	}
	add_first(task, "export", format);
	text = cJSON_PrintUnformatted(filter);
	cJSON_AddStringToObject(task->draft, "filter", text);
	free(text);
	cJSON_Delete(filter);
	task->settle = on_made;
	task_run(task, MONGO_SLOW, export);
}

/* ---- how far they are ---- */

cJSON *job_of_caller(struct db *db, struct task *task)
{
	const char *id = http_param(task->request, "id"), *by;
	cJSON *job = NULL;
	enum db_result result = id_is_safe(id, 60) ? db_get(db, JOBS, id, &job) : DB_NONE;

	by = json_get_str(job, "by");
	if (result == DB_OK &&
	    (task->scope.all || (by != NULL && strcmp(by, task->scope.who.user_id) == 0)))
		return job;
	cJSON_Delete(job);
	task_refuse_db(task, result == DB_OK ? DB_NONE : result);
	return NULL;
}

static void get(struct db *db, struct task *task)
{
	cJSON *job = job_of_caller(db, task);

	if (job == NULL)
		return;
	job_public(job);
	task_reply(task, 200, job);
}

void handle_job_get(struct http_request *request, void *service)
{
	task_start(request, service, MONGO_FAST, get);
}

static void cancel(struct db *db, struct task *task)
{
	cJSON *job = job_of_caller(db, task);
	enum db_result result;

	if (job == NULL)
		return;
	if (job_is_over(job)) {
		task_refuse(task, 409, "is_over", "It is over already");
	} else {
		result = job_cancel(db, json_get_str(job, "_id"));
		if (result == DB_OK)
			task_reply(task, 202, cJSON_CreateObject());
		else
			task_refuse_db(task, result);
	}
	cJSON_Delete(job);
}

void handle_job_cancel(struct http_request *request, void *service)
{
	task_start(request, service, MONGO_FAST, cancel);
}

/* Newest first; the cursor is the last one's id. */
static void list(struct db *db, struct task *task)
{
	cJSON *filter = cJSON_CreateObject(), *sort = cJSON_CreateObject(), *jobs = NULL, *job;
	struct db_page page = {sort, task->page.limit};
	cJSON *reply = cJSON_CreateObject(), *next = NULL;
	enum db_result result;

	if (!task->scope.all)
		cJSON_AddStringToObject(filter, "by", task->scope.who.user_id);
	if (task->page.cursor != NULL)
		cJSON_AddStringToObject(cJSON_AddObjectToObject(filter, "_id"), "$lt",
					task->page.cursor);
	cJSON_AddNumberToObject(sort, "_id", -1);
	result = db_find(db, JOBS, filter, &page, &jobs);
	cJSON_ArrayForEach(job, jobs)
	{
		job_public(job);
		if (job->next == NULL && (size_t)cJSON_GetArraySize(jobs) == task->page.limit)
			next = cJSON_CreateString(json_get_str(job, "id"));
	}
	cJSON_AddItemToObject(reply, "jobs", jobs != NULL ? jobs : cJSON_CreateArray());
	cJSON_AddItemToObject(reply, "nextCursor", next != NULL ? next : cJSON_CreateNull());
	task_reply(task, 200, reply);
	if (result != DB_OK)
		task_refuse_db(task, result);
	cJSON_Delete(filter);
	cJSON_Delete(sort);
}

void handle_job_list(struct http_request *request, void *service)
{
	task_start(request, service, MONGO_SLOW, list);
}
