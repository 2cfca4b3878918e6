/* A piece of an export: the next records in the order of their ids, as lines. */
#include "job.h"
#include "json.h"
#include "query.h"
#include "record.h"

#include <stdlib.h>
#include <string.h>

/* Those that the maker may see and asked for, behind the last piece. */
static enum db_result find(struct db *db, const cJSON *job, const struct kind *kind, cJSON **list_r)
{
	const char *text = json_get_str(job, "filter"), *last = json_get_str(job, "last"), *error;
	cJSON *filter = json_parse(text, strlen(text), &error), *sort = cJSON_CreateObject();
	cJSON *behind = cJSON_CreateObject();
	struct db_page page = {sort, JOB_PIECE};
	enum db_result result;

	cJSON_AddNumberToObject(sort, "_id", 1);
	cJSON_AddStringToObject(cJSON_AddObjectToObject(behind, "_id"), "$gt",
				last != NULL ? last : "");
	query_and(filter, behind);
	result = db_find(db, kind->collection, filter, &page, list_r);
	cJSON_Delete(sort);
	cJSON_Delete(filter);
	return result;
}

static const char *client_of(const struct kind *kind, const cJSON *doc)
{
	return json_get_str(doc, kind->id == KIND_CLIENT ? "_id" : "clientId");
}

/* The lines, whose clients they are, and what the job is afterwards. Takes list apart. */
static void write_lines(const cJSON *job, const struct line_form *form, cJSON *list,
			struct buffer *text, cJSON *seen, cJSON *set)
{
	cJSON *doc;
	int64_t at = json_get_int(job, "at", 0);
	int count = cJSON_GetArraySize(list);

	if (at == 0)
		lines_write_head(form, text);
	cJSON_ArrayForEach(doc, list)
	{
		const char *client = client_of(form->kind, doc);

		if (client != NULL)
			cJSON_AddItemToArray(seen, cJSON_CreateString(client));
		cJSON_DeleteItemFromObjectCaseSensitive(set, "last");
		cJSON_AddStringToObject(set, "last", json_get_str(doc, "_id"));
		record_public(doc);
		lines_write(form, doc, text);
	}
	cJSON_AddNumberToObject(set, "at", (double)(at + 1));
	cJSON_AddNumberToObject(set, "done", (double)(json_get_int(job, "done", 0) + count));
	cJSON_AddNumberToObject(set, "bytes",
				(double)(json_get_int(job, "bytes", 0) + (int64_t)text->len));
	(void)(count < JOB_PIECE ? job_ended(set, "done") : job_ran(set));
}

enum db_result job_export_piece(struct db *db, const cJSON *job)
{
	const char *collection = json_get_str(job, "kind");
	struct line_form form = {kind_find(collection, strlen(collection)),
				 cJSON_GetObjectItemCaseSensitive(job, "columns"), NULL};
	struct buffer text = {0};
	cJSON *list = NULL, *part, *seen = cJSON_CreateArray(), *set = cJSON_CreateObject();
	enum db_result result = find(db, job, form.kind, &list);

	if (result == DB_OK) {
		write_lines(job, &form, list, &text, seen, set);
		part = cJSON_CreateObject();
		cJSON_AddStringToObject(part, "text", buffer_str(&text));
		result = job_audit(db, job, seen);
		if (result == DB_OK)
			result = job_put_part(db, job, "out", json_get_int(job, "at", 0), part);
		else
			cJSON_Delete(part);
	}
	if (result == DB_OK)
		result = job_advance(db, job, set);
	else
		cJSON_Delete(set);
	buffer_free(&text);
	cJSON_Delete(seen);
	cJSON_Delete(list);
	return result;
}
