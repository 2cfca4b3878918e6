#include "job.h"

#include "clock.h"
#include "ids.h"
#include "json.h"
#include "mem.h"
#include "record.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KEEP_MS INT64_C(2592000000)

/* ---- the document ---- */

cJSON *job_new(const char *type, const struct kind *kind, const struct principal *who)
{
	cJSON *job = cJSON_CreateObject();
	static const char *const counts[] = {"at", "done", "created", "changed", "same", "refused"};
	char id[ID_CALL_LEN + 1];

	id_call(id);
	cJSON_AddStringToObject(job, "_id", id);
	cJSON_AddStringToObject(job, "type", type);
	cJSON_AddStringToObject(job, "kind", kind->collection);
	cJSON_AddStringToObject(job, "state", "queued");
	cJSON_AddNumberToObject(job, "createdAt", (double)clock_wall_ms());
	cJSON_AddStringToObject(job, "by", who->user_id);
	cJSON_AddStringToObject(job, "byName", who->username);
	cJSON_AddStringToObject(job, "role", role_name(who->role));
	cJSON_AddStringToObject(job, "extension", who->extension);
	cJSON_AddStringToObject(job, "teams", who->teams);
	cJSON_AddStringToObject(job, "team", who->team);
	for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++)
		cJSON_AddNumberToObject(job, counts[i], 0);
	return job;
}

static void get_text(const cJSON *job, const char *name, char *out, size_t size)
{
	const char *text = json_get_str(job, name);

	snprintf(out, size, "%s", text != NULL ? text : "");
}

void job_principal(const cJSON *job, struct principal *who_r)
{
	char role[33];

	*who_r = (struct principal){0};
	get_text(job, "by", who_r->user_id, sizeof(who_r->user_id));
	get_text(job, "byName", who_r->username, sizeof(who_r->username));
	get_text(job, "extension", who_r->extension, sizeof(who_r->extension));
	get_text(job, "teams", who_r->teams, sizeof(who_r->teams));
	get_text(job, "team", who_r->team, sizeof(who_r->team));
	get_text(job, "role", role, sizeof(role));
	if (role_parse(role, &who_r->role))
		who_r->permissions = role_permissions(who_r->role);
}

void job_public(cJSON *job)
{
	static const char *const own[] = {"role",   "extension", "teams", "team",    "at",
					  "pieces", "filter",    "last",  "columns", "cancel"};
	cJSON *id = cJSON_DetachItemFromObjectCaseSensitive(job, "_id");

	for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++)
		cJSON_DeleteItemFromObjectCaseSensitive(job, own[i]);
	if (id != NULL)
		cJSON_AddItemToObject(job, "id", id);
}

bool job_is_over(const cJSON *job)
{
	const char *state = json_get_str(job, "state");

	return state == NULL || (strcmp(state, "queued") != 0 && strcmp(state, "running") != 0);
}

enum db_result job_definitions(struct db *db, cJSON **list_r)
{
	cJSON *filter = cJSON_CreateObject();
	struct db_page page = {NULL, 0};
	enum db_result result;

	cJSON_AddBoolToObject(filter, "k.live", true);
	result = db_find(db, kinds[KIND_CUSTOM_FIELD].collection, filter, &page, list_r);
	cJSON_Delete(filter);
	return result;
}

/* ---- pieces ---- */

enum db_result job_put_part(struct db *db, const cJSON *job, const char *part, int64_t n,
			    cJSON *doc)
{
	const char *job_id = json_get_str(job, "_id");
	char *id = mem_printf("%s:%s:%" PRId64, job_id, part, n);
	enum db_result result;

	cJSON_AddStringToObject(doc, "_id", id);
	cJSON_AddStringToObject(doc, "job", job_id);
	cJSON_AddNumberToObject(doc, "madeAt", (double)clock_wall_ms());
	result = db_put(db, JOB_PARTS, doc);
	cJSON_Delete(doc);
	free(id);
	return result;
}

enum db_result job_get_part(struct db *db, const char *job_id, const char *part, int64_t n,
			    cJSON **doc_r)
{
	char *id = mem_printf("%s:%s:%" PRId64, job_id, part, n);
	enum db_result result = db_get(db, JOB_PARTS, id, doc_r);

	free(id);
	return result;
}

/* Only one that is where it was thought to be. The lock is for servers without atomic updates. */
static enum db_result update(struct db *db, cJSON *filter, cJSON *set, int64_t *count_r)
{
	const char *id = json_get_str(filter, "_id");
	cJSON *change = cJSON_CreateObject();
	enum db_result result;

	cJSON_AddItemToObject(change, "$set", set);
	db_lock(DB_LOCK_RECORD, id);
	result = db_update_many(db, JOBS, filter, change, count_r);
	db_unlock(DB_LOCK_RECORD, id);
	cJSON_Delete(change);
	cJSON_Delete(filter);
	return result;
}

enum db_result job_advance(struct db *db, const cJSON *job, cJSON *set)
{
	cJSON *filter = cJSON_CreateObject();
	int64_t count = 0;
	enum db_result result;

	cJSON_AddStringToObject(filter, "_id", json_get_str(job, "_id"));
	cJSON_AddNumberToObject(filter, "at", (double)json_get_int(job, "at", 0));
	result = update(db, filter, set, &count);
	return result == DB_OK && count == 0 ? DB_CONFLICT : result;
}

enum db_result job_cancel(struct db *db, const char *id)
{
	cJSON *filter = cJSON_CreateObject(), *set = cJSON_CreateObject();

	cJSON_AddStringToObject(filter, "_id", id);
	cJSON_AddTrueToObject(set, "cancel");
	return update(db, filter, set, NULL);
}

enum db_result job_audit(struct db *db, const cJSON *job, const cJSON *clients)
{
	cJSON *list = cJSON_CreateArray(), *entry = cJSON_CreateObject();
	const char *type = json_get_str(job, "type");
	char *id = mem_printf("%s:%" PRId64, json_get_str(job, "_id"), json_get_int(job, "at", 0));
	enum db_result result = DB_OK;

	cJSON_AddItemToArray(list, entry);
	cJSON_AddStringToObject(entry, "_id", id);
	cJSON_AddNumberToObject(entry, "at", (double)clock_wall_ms());
	cJSON_AddStringToObject(entry, "by", json_get_str(job, "by"));
	cJSON_AddStringToObject(entry, "byName", json_get_str(job, "byName"));
	cJSON_AddStringToObject(entry, "address", json_get_str(job, "address"));
	cJSON_AddStringToObject(entry, "method", "POST");
	cJSON_AddStringToObject(entry, "route",
				strcmp(type, "import") == 0 ? "/api/crm/imports"
							    : "/api/crm/exports");
	cJSON_AddItemReferenceToObject(entry, "clients", (cJSON *)clients);
	if (clients != NULL && clients->child != NULL)
		result = db_insert_new(db, "audit", list);
	cJSON_Delete(list);
	free(id);
	return result;
}

/* ---- one step ---- */

cJSON *job_ran(cJSON *set)
{
	cJSON_AddStringToObject(set, "state", "running");
	return set;
}

cJSON *job_ended(cJSON *set, const char *state)
{
	cJSON_AddStringToObject(set, "state", state);
	cJSON_AddNumberToObject(set, "endedAt", (double)clock_wall_ms());
	return set;
}

static enum db_result end(struct db *db, const cJSON *job, const char *state)
{
	cJSON *set = cJSON_CreateObject();

	if (strcmp(state, "failed") == 0)
		cJSON_AddStringToObject(set, "error", db->error);
	cJSON_AddNumberToObject(set, "at", (double)json_get_int(job, "at", 0));
	return job_advance(db, job, job_ended(set, state));
}

void job_step(struct db *db, struct job_step *step)
{
	cJSON *job = NULL;
	const char *type;

	step->result = db_get(db, JOBS, step->id, &job);
	type = json_get_str(job, "type");
	if (step->result == DB_NONE || job_is_over(job)) {
		step->is_over = step->result == DB_OK || step->result == DB_NONE;
		step->result = step->is_over ? DB_OK : step->result;
	} else if (json_get_bool(job, "cancel", false)) {
		step->result = end(db, job, "cancelled");
	} else {
		step->result = strcmp(type, "import") == 0 ? job_import_piece(db, step, job)
							   : job_export_piece(db, job);
		if (step->result == DB_FAILED || step->result == DB_SLOW)
			step->result = end(db, job, "failed");
	}
	cJSON_Delete(job);
}

/* ---- what is over ---- */

static enum db_result delete_older(struct db *db, const char *collection, const char *field,
				   int64_t age_ms)
{
	cJSON *filter = cJSON_CreateObject();
	enum db_result result;

	cJSON_AddNumberToObject(cJSON_AddObjectToObject(filter, field), "$lt",
				(double)(clock_wall_ms() - age_ms));
	result = db_delete_many(db, collection, filter, NULL);
	cJSON_Delete(filter);
	return result;
}

void job_sweep(struct db *db, int64_t keep_ms)
{
	if (delete_older(db, JOB_PARTS, "madeAt", keep_ms) == DB_OK)
		(void)!delete_older(db, JOBS, "createdAt", KEEP_MS);
}
