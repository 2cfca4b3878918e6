#include "record.h"

#include "cache.h"
#include "clock.h"
#include "json.h"
#include "mem.h"
#include "number_index.h"
#include "words.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHANGES "changes"
#define HOUR_MS 3600000

const struct actor actor_system = {"system", "crm-data-svc"};

enum db_result record_get(struct db *db, const struct kind *kind, const char *id, cJSON **doc_r)
{
	return db_get(db, kind->collection, id, doc_r);
}

bool record_is_live(const cJSON *doc)
{
	return cJSON_GetObjectItemCaseSensitive(doc, "deletedAt") == NULL;
}

int64_t record_version(const cJSON *doc)
{
	return json_get_int(doc, "v", 0);
}

static void set(cJSON *doc, const char *name, cJSON *value)
{
	cJSON_DeleteItemFromObjectCaseSensitive(doc, name);
	cJSON_AddItemToObject(doc, name, value);
}

/* ---- what it is found by ---- */

static void add_texts(cJSON *list, const cJSON *items, const char *key)
{
	const cJSON *item;

	cJSON_ArrayForEach(item, items)
	{
		const char *text =
			key != NULL ? json_get_str(item, key) : cJSON_GetStringValue(item);

		if (text != NULL)
			cJSON_AddItemToArray(list, cJSON_CreateString(text));
	}
}

static void set_hour(cJSON *keys, int64_t hour)
{
	cJSON_AddNumberToObject(keys, "hour", (double)hour);
}

static void derive(const struct kind *kind, cJSON *doc)
{
	cJSON *keys = cJSON_CreateObject(), *words = cJSON_CreateArray();
	cJSON *numbers = cJSON_CreateArray(), *emails = cJSON_CreateArray();

	for (const struct field *field = kind->fields; field->name != NULL; field++) {
		const cJSON *item = cJSON_GetObjectItemCaseSensitive(doc, field->name);

		if (field->type == FIELD_PHONES)
			add_texts(numbers, item, "number");
		else if (field->type == FIELD_EMAILS)
			add_texts(emails, item, NULL);
		else if ((field->flags & FIELD_SEARCH) != 0 && cJSON_IsString(item))
			words_add(words, item->valuestring);
	}
	cJSON_AddBoolToObject(keys, "live", record_is_live(doc));
	cJSON_AddItemToObject(keys, "words", words);
	cJSON_AddItemToObject(keys, "numbers", numbers);
	cJSON_AddItemToObject(keys, "emails", emails);
	if (cJSON_GetObjectItemCaseSensitive(doc, "startedAt") != NULL)
		set_hour(keys, json_get_int(doc, "startedAt", 0) / HOUR_MS);
	set(doc, "k", keys);
}

/* ---- writing ---- */

static cJSON *make_change(const struct kind *kind, const cJSON *doc, const struct actor *actor,
			  const char *action)
{
	cJSON *change = cJSON_CreateObject();
	const char *id = json_get_str(doc, "_id");
	char *text = mem_printf("%s:%s:%" PRId64, kind->name, id, record_version(doc));

	cJSON_AddStringToObject(change, "_id", text);
	cJSON_AddStringToObject(change, "record", id);
	cJSON_AddNumberToObject(change, "v", (double)record_version(doc));
	cJSON_AddNumberToObject(change, "at", (double)clock_wall_ms());
	cJSON_AddStringToObject(change, "by", actor->id);
	cJSON_AddStringToObject(change, "byName", actor->name);
	cJSON_AddStringToObject(change, "action", action);
	cJSON_AddItemToObject(change, "doc", cJSON_Duplicate(doc, true));
	free(text);
	return change;
}

static enum db_result claim(struct db *db, const struct kind *kind, const cJSON *doc,
			    const struct actor *actor, const char *action)
{
	cJSON *change = make_change(kind, doc, actor, action);
	enum db_result result = db_insert(db, CHANGES, change);

	cJSON_Delete(change);
	return result;
}

/* now NULL: it is the first version. */
static enum db_result write_claimed(struct db *db, const struct kind *kind, const cJSON *now,
				    const cJSON *doc)
{
	enum db_result result = number_index_add(db, kind, now, doc);

	if (result == DB_OK && now == NULL)
		result = db_insert(db, kind->collection, doc);
	else if (result == DB_OK)
		result = db_replace(db, kind->collection, doc, record_version(now));
	if (result == DB_OK)
		result = number_index_remove(db, kind, now, doc);
	return result;
}

/* A version was claimed by somebody: writes its record when that was never done. */
static enum db_result roll_forward(struct db *db, const struct kind *kind, const char *id,
				   int64_t version)
{
	char *name = mem_printf("%s:%s:%" PRId64, kind->name, id, version);
	cJSON *change = NULL, *now = NULL;
	const cJSON *doc;
	enum db_result result = db_get(db, CHANGES, name, &change);

	free(name);
	doc = cJSON_GetObjectItemCaseSensitive(change, "doc");
	if (result == DB_OK)
		result = record_get(db, kind, id, &now);
	if (doc != NULL && ((result == DB_NONE && version == 1) ||
			    (result == DB_OK && record_version(now) == version - 1)))
		result = write_claimed(db, kind, now, doc);
	cJSON_Delete(change);
	cJSON_Delete(now);
	return result == DB_AWAY ? DB_AWAY : DB_CONFLICT;
}

enum db_result record_create(struct db *db, const struct kind *kind, cJSON *doc,
			     const struct actor *actor, const char *action)
{
	const char *id = json_get_str(doc, "_id");
	int64_t now_ms = clock_wall_ms();
	enum db_result result;

	set(doc, "v", cJSON_CreateNumber(1));
	set(doc, "createdAt", cJSON_CreateNumber((double)now_ms));
	set(doc, "createdBy", cJSON_CreateString(actor->id));
	set(doc, "updatedAt", cJSON_CreateNumber((double)now_ms));
	set(doc, "updatedBy", cJSON_CreateString(actor->id));
	derive(kind, doc);
	db_lock(DB_LOCK_RECORD, id);
	result = claim(db, kind, doc, actor, action);
	if (result == DB_OK)
		result = number_index_add(db, kind, NULL, doc);
	if (result == DB_OK)
		result = db_insert(db, kind->collection, doc);
	else if (result == DB_DUPLICATE && roll_forward(db, kind, id, 1) == DB_AWAY)
		result = DB_AWAY;
	db_unlock(DB_LOCK_RECORD, id);
	return result;
}

/* The version is claimed, then everything that leads to the record is written, then it. */
static enum db_result write_change(struct db *db, const struct kind *kind, const cJSON *before,
				   const cJSON *after, const struct actor *actor,
				   const char *action)
{
	const char *id = json_get_str(after, "_id");
	int64_t version = record_version(before);
	enum db_result result = claim(db, kind, after, actor, action);

	if (result == DB_DUPLICATE)
		return roll_forward(db, kind, id, version + 1);
	if (result == DB_OK)
		result = number_index_add(db, kind, before, after);
	if (result == DB_OK)
		result = db_replace(db, kind->collection, after, version);
	if (result == DB_OK)
		result = number_index_remove(db, kind, before, after);
	return result;
}

/* Only clients are cached. When it is not known what was written, the entry stays blocked. */
static enum db_result write_around_cache(struct db *db, const struct kind *kind,
					 const cJSON *before, const cJSON *after,
					 const struct actor *actor, const char *action)
{
	const char *id = json_get_str(after, "_id");
	enum db_result result;

	if (kind->id != KIND_CLIENT)
		return write_change(db, kind, before, after, actor, action);
	if (cache_block(db->cache, id) < 0) {
		snprintf(db->error, sizeof(db->error), "Redis is away");
		return DB_AWAY;
	}
	result = write_change(db, kind, before, after, actor, action);
	if (result == DB_OK || result == DB_CONFLICT)
		cache_release(db->cache, id, record_version(after));
	return result;
}

enum db_result record_change(struct db *db, const struct kind *kind, const cJSON *before,
			     cJSON *after, const struct actor *actor, const char *action)
{
	const char *id = json_get_str(after, "_id");
	enum db_result result;

	set(after, "v", cJSON_CreateNumber((double)(record_version(before) + 1)));
	set(after, "updatedAt", cJSON_CreateNumber((double)clock_wall_ms()));
	set(after, "updatedBy", cJSON_CreateString(actor->id));
	derive(kind, after);
	db_lock(DB_LOCK_RECORD, id);
	result = write_around_cache(db, kind, before, after, actor, action);
	db_unlock(DB_LOCK_RECORD, id);
	return result;
}

void record_set_deleted(cJSON *doc, bool deleted)
{
	cJSON_DeleteItemFromObjectCaseSensitive(doc, "deletedAt");
	if (deleted)
		cJSON_AddNumberToObject(doc, "deletedAt", (double)clock_wall_ms());
}

/* ---- reading ---- */

/* Fields that are the daemon's own. */
static const char *const own[] = {"k",     "merges",   "mergedBy", "absorbed",
				  "entry", "reminded", "imported"};

void record_public(cJSON *doc)
{
	cJSON *id = cJSON_DetachItemFromObjectCaseSensitive(doc, "_id");
	cJSON *version = cJSON_DetachItemFromObjectCaseSensitive(doc, "v");

	for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++)
		cJSON_DeleteItemFromObjectCaseSensitive(doc, own[i]);
	if (id != NULL)
		cJSON_AddItemToObject(doc, "id", id);
	if (version != NULL)
		cJSON_AddItemToObject(doc, "version", version);
}

/* Not told in a history. */
static bool is_kept_apart(const char *name)
{
	static const char *const names[] = {"_id", "v", "updatedAt", "updatedBy"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strcmp(names[i], name) == 0)
			return true;
	for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++)
		if (strcmp(own[i], name) == 0)
			return true;
	return false;
}

/* What became another between two versions; before NULL: everything. */
static cJSON *differences(const cJSON *before, const cJSON *after)
{
	cJSON *changed = cJSON_CreateObject();
	const cJSON *item;

	cJSON_ArrayForEach(item, after)
	{
		const cJSON *old = cJSON_GetObjectItemCaseSensitive(before, item->string);

		if (!is_kept_apart(item->string) && !cJSON_Compare(old, item, true))
			cJSON_AddItemToObject(changed, item->string, cJSON_Duplicate(item, true));
	}
	cJSON_ArrayForEach(item, before)
	{
		if (!is_kept_apart(item->string) &&
		    cJSON_GetObjectItemCaseSensitive(after, item->string) == NULL)
			cJSON_AddNullToObject(changed, item->string);
	}
	return changed;
}

static enum db_result get_change(struct db *db, const struct kind *kind, const char *id,
				 int64_t version, cJSON **change_r)
{
	char *name = mem_printf("%s:%s:%" PRId64, kind->name, id, version);
	enum db_result result = db_get(db, CHANGES, name, change_r);

	free(name);
	return result;
}

/* Takes over change. */
static cJSON *show_change(cJSON *change, const cJSON *previous)
{
	cJSON *doc = cJSON_DetachItemFromObjectCaseSensitive(change, "doc");
	cJSON *version = cJSON_DetachItemFromObjectCaseSensitive(change, "v");

	cJSON_DeleteItemFromObjectCaseSensitive(change, "_id");
	cJSON_DeleteItemFromObjectCaseSensitive(change, "record");
	cJSON_AddItemToObject(change, "version", version);
	cJSON_AddItemToObject(change, "changed",
			      differences(cJSON_GetObjectItemCaseSensitive(previous, "doc"), doc));
	cJSON_Delete(doc);
	return change;
}

enum db_result record_history(struct db *db, const struct kind *kind, const char *id,
			      int64_t newest, int64_t before, size_t limit, cJSON **list_r)
{
	int64_t version = before > 0 && before <= newest ? before - 1 : newest;
	cJSON *change = NULL, *previous = NULL;
	enum db_result result = DB_OK;

	*list_r = cJSON_CreateArray();
	if (version > 0)
		result = get_change(db, kind, id, version, &change);
	for (; version > 0 && limit > 0; version--, limit--) {
		if (result == DB_OK && version > 1)
			result = get_change(db, kind, id, version - 1, &previous);
		if (result != DB_OK && result != DB_NONE)
			break;
		if (change != NULL)
			cJSON_AddItemToArray(*list_r, show_change(change, previous));
		change = previous;
		previous = NULL;
		result = DB_OK;
	}
	cJSON_Delete(change);
	if (result == DB_OK || result == DB_NONE)
		return DB_OK;
	cJSON_Delete(*list_r);
	*list_r = NULL;
	return result;
}
