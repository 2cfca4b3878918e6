/* A piece of an import: each line does what a request of the job's maker would. A line that was
   done already is found to be so: a new record has an id made of job and line, a changed one
   remembers them. */
#include "edit.h"
#include "ids.h"
#include "job.h"
#include "json.h"
#include "links.h"
#include "mem.h"
#include "number_index.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TRIES 5

enum outcome {
	OUTCOME_CREATED,
	OUTCOME_CHANGED,
	OUTCOME_SAME,
	OUTCOME_REFUSED,
	OUTCOMES
};

static const char *const outcome_names[OUTCOMES] = {"created", "changed", "same", "refused"};

struct import {
	struct job_step *step;
	const cJSON *job;
	struct line_form form;
	struct principal who;
	bool by_number; /* a client who has one of the numbers is changed */
	int64_t line;
	char mark[100]; /* of the line */
	int64_t counts[OUTCOMES];
	cJSON *refused, *seen; /* owned */
};

/* ---- what came of a line ---- */

static enum db_result refuse(struct import *import, const char *code, const char *message,
			     const char *field)
{
	cJSON *item = cJSON_CreateObject();

	cJSON_AddNumberToObject(item, "line", (double)import->line);
	cJSON_AddStringToObject(item, "code", code);
	cJSON_AddStringToObject(item, "message", message);
	if (field != NULL && field[0] != '\0')
		cJSON_AddStringToObject(item, "field", field);
	cJSON_AddItemToArray(import->refused, item);
	import->counts[OUTCOME_REFUSED]++;
	return DB_OK;
}

static enum db_result refuse_fault(struct import *import, const struct fault *fault)
{
	return refuse(import, fault->code, fault->message, fault->field);
}

static void keep(cJSON **into, cJSON *from)
{
	cJSON *item;

	if (*into == NULL)
		*into = cJSON_CreateArray();
	while ((item = cJSON_DetachItemFromArray(from, 0)) != NULL)
		cJSON_AddItemToArray(*into, item);
}

static void keep_reminders(struct job_step *step, cJSON *from)
{
	cJSON *item;

	if (step->reminders == NULL)
		step->reminders = cJSON_CreateObject();
	while ((item = cJSON_DetachItemFromArray(from, 0)) != NULL)
		cJSON_AddItemToObject(step->reminders, item->string, item);
}

/* The answer that a request would have got. Takes over task. */
static enum db_result take_answer(struct import *import, struct task *task)
{
	const cJSON *error = cJSON_GetObjectItemCaseSensitive(task->reply, "error");
	const cJSON *details = cJSON_GetObjectItemCaseSensitive(error, "details");
	enum db_result result = DB_OK;

	if (task->status == 503)
		result = DB_AWAY;
	else if (task->status == 412)
		result = DB_CONFLICT;
	else if (task->status < 300)
		import->counts[task->status == 201 ? OUTCOME_CREATED : OUTCOME_CHANGED]++;
	else
		refuse(import, json_get_str(error, "code"), json_get_str(error, "message"),
		       json_get_str(details, "field"));
	keep(&import->seen, task->seen);
	keep(&import->step->events, task->events);
	keep_reminders(import->step, task->reminders);
	task_free(task);
	return result;
}

static struct task *task_for(const struct import *import)
{
	struct task *task = task_alone(import->step->service, import->form.kind, &import->who);

	task->is_trial = json_get_bool(import->job, "dryRun", false);
	return task;
}

/* ---- a new record ---- */

static enum db_result create(struct db *db, struct import *import, const cJSON *body)
{
	struct task *task;
	cJSON *doc = cJSON_CreateObject();
	struct fault fault;
	char id[100];

	if (fields_apply(import->form.kind->fields, &import->step->service->phones, body, true, doc,
			 &fault) < 0) {
		cJSON_Delete(doc);
		return refuse_fault(import, &fault);
	}
	snprintf(id, sizeof(id), "%s-%" PRId64, import->step->id, import->line);
	task = task_for(import);
	task->id = id;
	edit_create(db, task, body, doc);
	if (task->status == 409) { /* by an attempt that went no further */
		task_saw(task, import->form.kind->id == KIND_CLIENT ? id : NULL);
		task_reply(task, 201, NULL);
	}
	return take_answer(import, task);
}

/* ---- a change ---- */

/* What cannot be changed may stand in a line as it is. */
static void drop_same(const struct kind *kind, cJSON *body, const cJSON *before)
{
	cJSON *item = body->child, *next;

	for (; item != NULL; item = next) {
		const struct field *field = fields_find(kind->fields, item->string);

		next = item->next;
		if (field != NULL && (field->flags & FIELD_FIXED) != 0 &&
		    cJSON_Compare(item, cJSON_GetObjectItemCaseSensitive(before, item->string),
				  true))
			cJSON_Delete(cJSON_DetachItemViaPointer(body, item));
	}
}

/* False as well when it cannot be applied: then the change says why. */
static bool is_same(const struct import *import, const cJSON *before, const cJSON *body)
{
	cJSON *after = cJSON_Duplicate(before, true);
	struct fault fault;
	bool same = fields_apply(import->form.kind->fields, &import->step->service->phones, body,
				 false, after, &fault) == 0 &&
		    cJSON_Compare(before, after, true);

	cJSON_Delete(after);
	return same;
}

static bool is_done(const struct import *import, const cJSON *before)
{
	const char *mark = json_get_str(before, "imported");

	return mark != NULL && strcmp(mark, import->mark) == 0;
}

static enum db_result change(struct db *db, struct import *import, cJSON *before, cJSON *body,
			     int64_t version)
{
	struct task *task;

	if (is_done(import, before)) {
		import->counts[OUTCOME_CHANGED]++;
		return import->form.kind->id == KIND_CLIENT ? links_follow(db, before) : DB_OK;
	}
	if (!record_is_live(before))
		return refuse(import, "deleted", "It was deleted, or merged into another one",
			      "id");
	if (version != 0 && version != record_version(before))
		return refuse(import, "changed_meanwhile", "Somebody else has changed it",
			      "version");
	drop_same(import->form.kind, body, before);
	if (is_same(import, before, body)) {
		import->counts[OUTCOME_SAME]++;
		return DB_OK;
	}
	task = task_for(import);
	cJSON_DeleteItemFromObjectCaseSensitive(before, "imported");
	cJSON_AddStringToObject(before, "imported", import->mark);
	edit_change(db, task, before, body);
	return take_answer(import, task);
}

/* ---- which record ---- */

static bool sees(const struct import *import, const cJSON *doc)
{
	struct scope scope;

	scope_init(&scope, &import->who);
	return scope_sees(&scope, doc);
}

/* The one client that has one of the numbers of body; DB_DUPLICATE: there are several. */
static enum db_result find_by_number(struct db *db, const struct import *import, const cJSON *body,
				     cJSON **doc_r)
{
	const cJSON *phone;
	char number[PHONE_MAX];
	enum db_result result = DB_NONE;

	cJSON_ArrayForEach(phone, cJSON_GetObjectItemCaseSensitive(body, "phones"))
	{
		const char *text = cJSON_IsObject(phone) ? json_get_str(phone, "number")
							 : cJSON_GetStringValue(phone);
		cJSON *found = NULL;

		if (text == NULL || !phone_normalise(&import->step->service->phones, text, number))
			continue;
		result = number_index_find(db, number, 2, &found);
		if (result == DB_OK && cJSON_GetArraySize(found) == 1) {
			*doc_r = cJSON_DetachItemFromArray(found, 0);
			cJSON_DeleteItemFromObjectCaseSensitive(*doc_r, "contact");
		} else if (result == DB_OK) {
			result = found->child != NULL ? DB_DUPLICATE : DB_NONE;
		}
		cJSON_Delete(found);
		if (result != DB_NONE)
			break;
	}
	return result;
}

/* id NULL: by its number, where that is wished for. DB_NONE: there is none. */
static enum db_result find(struct db *db, const struct import *import, const char *id,
			   const cJSON *body, cJSON **doc_r)
{
	enum db_result result = DB_NONE;

	if (id != NULL)
		result = id_is_safe(id, 160) ? record_get(db, import->form.kind, id, doc_r)
					     : DB_NONE;
	else if (import->by_number)
		result = find_by_number(db, import, body, doc_r);
	if (result == DB_OK && !sees(import, *doc_r)) {
		cJSON_Delete(*doc_r);
		*doc_r = NULL;
		result = DB_NONE;
	}
	return result;
}

static enum db_result apply(struct db *db, struct import *import, const char *id, int64_t version,
			    cJSON *body)
{
	cJSON *before = NULL;
	enum db_result result = find(db, import, id, body, &before);

	if (result == DB_NONE)
		result = id != NULL ? refuse(import, "not_found", "There is no such record", "id")
				    : create(db, import, body);
	else if (result == DB_DUPLICATE)
		result = refuse(import, "ambiguous", "Several clients have this number", "phones");
	else if (result == DB_OK)
		result = change(db, import, before, body, version);
	cJSON_Delete(before);
	return result;
}

/* Somebody may be writing to the same record: then it is read again. Takes over body. */
static enum db_result do_line(struct db *db, struct import *import, cJSON *body)
{
	cJSON *id = cJSON_DetachItemFromObjectCaseSensitive(body, "id");
	cJSON *version = cJSON_DetachItemFromObjectCaseSensitive(body, "version");
	enum db_result result = DB_CONFLICT;

	snprintf(import->mark, sizeof(import->mark), "%s:%" PRId64, import->step->id, import->line);
	if ((id != NULL && !cJSON_IsString(id)) || (version != NULL && !json_is_int(version)))
		result = refuse(import, "invalid_field", "id is a text and version a whole number",
				"id");
	for (int i = 0; i < TRIES && result == DB_CONFLICT; i++)
		result = apply(db, import, cJSON_GetStringValue(id),
			       version != NULL ? (int64_t)version->valuedouble : 0, body);
	cJSON_Delete(id);
	cJSON_Delete(version);
	cJSON_Delete(body);
	return result;
}

/* ---- the lines of a piece ---- */

static enum db_result do_csv(struct db *db, struct import *import, const char *text)
{
	enum csv_result read;
	enum db_result result = DB_OK;
	struct fault fault;
	struct csv csv;

	csv_open(&csv, text, strlen(text));
	csv.next_line = (size_t)import->line;
	while (result == DB_OK && (read = csv_next(&csv)) != CSV_END) {
		cJSON *body = NULL;

		import->line = (int64_t)csv.line;
		if (read == CSV_RECORD)
			body = lines_read_csv(&import->form, &csv, &fault);
		else
			fault_set(&fault, "malformed_line", "", "This is not CSV");
		result = body != NULL ? do_line(db, import, body) : refuse_fault(import, &fault);
	}
	csv_close(&csv);
	return result;
}

static enum db_result do_json(struct db *db, struct import *import, const char *text)
{
	enum db_result result = DB_OK;
	struct fault fault;

	for (; result == DB_OK && *text != '\0'; import->line++) {
		size_t len = strcspn(text, "\n");

		if (strspn(text, " \t\r") < len) {
			cJSON *body = lines_read_json(&import->form, text, len, &fault);

			result = body != NULL ? do_line(db, import, body)
					      : refuse_fault(import, &fault);
		}
		text += len + (text[len] == '\n');
	}
	return result;
}

static enum db_result advance(struct db *db, const struct import *import)
{
	const cJSON *job = import->job;
	cJSON *set = cJSON_CreateObject();
	int64_t at = json_get_int(job, "at", 0) + 1, done = json_get_int(job, "done", 0);

	for (size_t i = 0; i < OUTCOMES; i++) {
		cJSON_AddNumberToObject(
			set, outcome_names[i],
			(double)(json_get_int(job, outcome_names[i], 0) + import->counts[i]));
		done += import->counts[i];
	}
	cJSON_AddNumberToObject(set, "at", (double)at);
	cJSON_AddNumberToObject(set, "done", (double)done);
	return job_advance(db, job,
			   at >= json_get_int(job, "pieces", 0) ? job_ended(set, "done")
								: job_ran(set));
}

static enum db_result finish(struct db *db, struct import *import)
{
	enum db_result result = job_audit(db, import->job, import->seen);

	if (result == DB_OK && import->refused->child != NULL) {
		cJSON *doc = cJSON_CreateObject();

		cJSON_AddItemToObject(doc, "errors", import->refused);
		import->refused = NULL;
		result = job_put_part(db, import->job, "errors", json_get_int(import->job, "at", 0),
				      doc);
	}
	return result == DB_OK ? advance(db, import) : result;
}

enum db_result job_import_piece(struct db *db, struct job_step *step, const cJSON *job)
{
	const char *collection = json_get_str(job, "kind"), *match = json_get_str(job, "match");
	struct import import = {
		.step = step,
		.job = job,
		.by_number = match != NULL && strcmp(match, "number") == 0,
		.refused = cJSON_CreateArray(),
		.seen = cJSON_CreateArray(),
	};
	cJSON *part = NULL, *definitions = NULL;
	enum db_result result = job_get_part(db, step->id, "in", json_get_int(job, "at", 0), &part);

	if (result == DB_OK)
		result = job_definitions(db, &definitions);
	job_principal(job, &import.who);
	import.line = json_get_int(part, "line", 1);
	import.form =
		(struct line_form){kind_find(collection, strlen(collection)),
				   cJSON_GetObjectItemCaseSensitive(job, "columns"), definitions};
	if (result == DB_OK)
		result = import.form.columns != NULL
				 ? do_csv(db, &import, json_get_str(part, "text"))
				 : do_json(db, &import, json_get_str(part, "text"));
	if (result == DB_OK)
		result = finish(db, &import);
	cJSON_Delete(import.refused);
	cJSON_Delete(import.seen);
	cJSON_Delete(definitions);
	cJSON_Delete(part);
	return result == DB_NONE ? DB_FAILED : result;
}
