/* One event of a call into its interaction. */
#include "activity.h"
#include "call_batch.h"
#include "json.h"
#include "log.h"
#include "number_index.h"
#include "record.h"
#include "stream_id.h"

#include <stdio.h>
#include <string.h>

#define TRIES 5

static const struct kind *const interactions = &kinds[KIND_INTERACTION];

static bool is_type(const cJSON *event, const char *type)
{
	const char *own = json_get_str(event, "eventType");

	return own != NULL && strcmp(own, type) == 0;
}

static void set(cJSON *doc, const char *name, cJSON *value)
{
	cJSON_DeleteItemFromObjectCaseSensitive(doc, name);
	cJSON_AddItemToObject(doc, name, value);
}

/* The value of data, when it is there, under a name in the document. */
static void copy(cJSON *doc, const char *name, const cJSON *data, const char *field)
{
	const cJSON *item = cJSON_GetObjectItemCaseSensitive(data, field);

	if (item != NULL)
		set(doc, name, cJSON_Duplicate(item, true));
}

static void copy_missing(cJSON *doc, const char *name, const cJSON *data, const char *field)
{
	if (cJSON_GetObjectItemCaseSensitive(doc, name) == NULL)
		copy(doc, name, data, field);
}

/* ---- the client ---- */

static void set_client(cJSON *doc, const cJSON *client)
{
	const char *team = json_get_str(client, "team");

	set(doc, "clientId", cJSON_CreateString(json_get_str(client, "id")));
	if (team != NULL)
		set(doc, "team", cJSON_CreateString(team));
}

/* One client: it is that one. Several: they are offered. */
static void set_match(cJSON *doc, const cJSON *match)
{
	const cJSON *clients = cJSON_GetObjectItemCaseSensitive(match, "clients"), *client;
	cJSON *offered;

	copy(doc, "number", match, "number");
	if (cJSON_GetArraySize(clients) == 1) {
		set_client(doc, clients->child);
	} else if (cJSON_GetArraySize(clients) > 1) {
		offered = cJSON_CreateArray();
		cJSON_ArrayForEach(client, clients)
		{
			cJSON_AddItemToArray(offered,
					     cJSON_CreateString(json_get_str(client, "id")));
		}
		set(doc, "candidates", offered);
	}
}

/* Within some days of the last time: the one before was not the end of it. */
static enum db_result mark_repeat(struct db *db, const struct call_batch *batch, cJSON *doc)
{
	cJSON *activity = NULL, *filter, *update;
	const char *client_id = json_get_str(doc, "clientId"), *last;
	int64_t since_ms;
	enum db_result result;

	if (client_id == NULL)
		return DB_OK;
	result = activity_get(db, client_id, &activity);
	last = json_get_str(activity, "lastId");
	since_ms = json_get_int(doc, "startedAt", 0) - json_get_int(activity, "lastAt", 0);
	if (result == DB_OK && last != NULL && since_ms <= batch->repeat_ms) {
		set(doc, "repeat", cJSON_CreateTrue());
		filter = cJSON_CreateObject();
		cJSON_AddStringToObject(filter, "_id", last);
		update = cJSON_CreateObject();
		cJSON_AddTrueToObject(cJSON_AddObjectToObject(update, "$set"), "followedUp");
		result = db_update_many(db, interactions->collection, filter, update, NULL);
		cJSON_Delete(filter);
		cJSON_Delete(update);
	}
	cJSON_Delete(activity);
	return result;
}

static enum db_result find_client(struct db *db, struct call_batch *batch, const cJSON *event,
				  cJSON *doc)
{
	const cJSON *match =
		cJSON_GetObjectItemCaseSensitive(batch->matches, json_get_str(event, "callId"));
	char number[PHONE_MAX];
	cJSON *found = NULL, *one;
	enum db_result result = DB_OK;

	if (cJSON_GetObjectItemCaseSensitive(doc, "number") != NULL)
		return DB_OK;
	if (match != NULL) {
		set_match(doc, match);
	} else if (call_batch_number(batch, event, number)) {
		result = number_index_find(db, number, 10, &found);
		if (result != DB_OK)
			return result;
		one = cJSON_CreateObject();
		cJSON_AddStringToObject(one, "number", number);
		for (cJSON *client = found->child; client != NULL; client = client->next)
			copy(client, "id", client, "_id");
		cJSON_AddItemToObject(one, "clients", found);
		set_match(doc, one);
		cJSON_Delete(one);
	}
	batch->matched += json_get_str(doc, "clientId") != NULL;
	return mark_repeat(db, batch, doc);
}

/* ---- what the event says ---- */

static void begin(cJSON *doc, const char *id, const cJSON *event)
{
	const cJSON *data = cJSON_GetObjectItemCaseSensitive(event, "data");

	cJSON_AddStringToObject(doc, "_id", id);
	cJSON_AddStringToObject(doc, "kind", "call");
	cJSON_AddStringToObject(doc, "state", "open");
	copy(doc, "callId", event, "callId");
	copy(doc, "pbx", event, "pbx");
	copy(doc, "startedAt", event, "timestamp");
	copy(doc, "startedAt", data, "startedAt");
}

static void add_transfer(cJSON *doc, const cJSON *event)
{
	const cJSON *data = cJSON_GetObjectItemCaseSensitive(event, "data");
	cJSON *list = cJSON_GetObjectItemCaseSensitive(doc, "transfers");
	cJSON *transfer = cJSON_CreateObject();

	if (list == NULL)
		list = cJSON_AddArrayToObject(doc, "transfers");
	copy(transfer, "at", event, "timestamp");
	copy(transfer, "kind", data, "kind");
	copy(transfer, "by", data, "from");
	copy(transfer, "to", data, "to");
	cJSON_AddItemToArray(list, transfer);
}

/* A field of call:<callId>, which is JSON text. An empty list stays out. */
static void copy_json(cJSON *doc, const char *name, const cJSON *call)
{
	const char *text = json_get_str(call, name), *error;
	cJSON *value = text != NULL ? json_parse(text, strlen(text), &error) : NULL;

	if (value != NULL && value->child != NULL)
		set(doc, name, value);
	else
		cJSON_Delete(value);
}

static void close_it(const struct call_batch *batch, cJSON *doc, const cJSON *event)
{
	static const char *const figures[] = {"startedAt", "answeredAt", "endedAt", "durationMs",
					      "talkMs",    "holdMs",     "result",  "reason",
					      "cause",     "causeText",  "hungUpBy"};
	static const char *const lists[] = {"recordings", "transfers", "queue"};
	const cJSON *data = cJSON_GetObjectItemCaseSensitive(event, "data");
	const cJSON *call =
		cJSON_GetObjectItemCaseSensitive(batch->calls, json_get_str(event, "callId"));

	for (size_t i = 0; i < sizeof(figures) / sizeof(figures[0]); i++)
		if (strcmp(figures[i], "reason") != 0)
			copy(doc, figures[i], data, figures[i]);
	copy(doc, "endReason", data, "reason");
	copy(doc, "mergedCallId", data, "mergedInto");
	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++)
		copy_json(doc, lists[i], call);
	set(doc, "state", cJSON_CreateString("closed"));
}

static void apply(const struct call_batch *batch, cJSON *doc, const cJSON *event)
{
	const cJSON *data = cJSON_GetObjectItemCaseSensitive(event, "data");

	copy(doc, "direction", data, "direction");
	copy_missing(doc, "from", data, "caller");
	copy_missing(doc, "fromName", data, "callerName");
	copy_missing(doc, "to", data, "callee");
	copy_missing(doc, "agent", event, "extension");
	if (is_type(event, "call:established")) {
		copy(doc, "answeredAt", data, "answeredAt");
		copy(doc, "agent", event, "extension");
	}
	if (is_type(event, "call:transferred"))
		add_transfer(doc, event);
	if (is_type(event, "call:ended"))
		close_it(batch, doc, event);
}

/* ---- into the interaction ---- */

static enum db_result apply_once(struct db *db, struct call_batch *batch, const char *entry_id,
				 const cJSON *event)
{
	char id[200];
	cJSON *before = NULL, *after;
	const char *entry;
	enum db_result result;

	snprintf(id, sizeof(id), "call-%s", json_get_str(event, "callId"));
	result = record_get(db, interactions, id, &before);
	if (result != DB_OK && result != DB_NONE)
		return result;
	entry = json_get_str(before, "entry");
	if (entry != NULL && stream_id_compare(entry_id, entry) <= 0) {
		cJSON_Delete(before);
		return DB_OK;
	}
	after = before != NULL ? cJSON_Duplicate(before, true) : cJSON_CreateObject();
	if (before == NULL)
		begin(after, id, event);
	apply(batch, after, event);
	result = find_client(db, batch, event, after);
	if (result == DB_OK && before != NULL && cJSON_Compare(before, after, true)) {
		cJSON_Delete(after);
		cJSON_Delete(before);
		return DB_OK; /* it says nothing new */
	}
	set(after, "entry", cJSON_CreateString(entry_id));
	if (result == DB_OK && before == NULL)
		result = record_create(db, interactions, after, &actor_system, "opened");
	else if (result == DB_OK)
		result = record_change(db, interactions, before, after, &actor_system,
				       is_type(event, "call:ended") ? "closed" : "changed");
	if (result == DB_OK)
		activity_note(db, after);
	batch->opened += result == DB_OK && before == NULL;
	batch->closed += result == DB_OK && is_type(event, "call:ended");
	cJSON_Delete(after);
	cJSON_Delete(before);
	return result;
}

/* An agent may be writing to the same interaction: then it is read again. */
static enum db_result apply_entry(struct db *db, struct call_batch *batch, const cJSON *item)
{
	const cJSON *event = cJSON_GetObjectItemCaseSensitive(item, "event");
	enum db_result result = DB_CONFLICT;

	for (int i = 0; i < TRIES && (result == DB_CONFLICT || result == DB_DUPLICATE); i++)
		result = apply_once(db, batch, json_get_str(item, "id"), event);
	return result;
}

void call_batch_write_work(struct db *db, void *_batch)
{
	struct call_batch *batch = _batch;

	batch->result = DB_OK;
	for (const cJSON *item = batch->entries->child; item != NULL; item = item->next) {
		if (cJSON_GetObjectItemCaseSensitive(item, "event") != NULL &&
		    batch->result == DB_OK)
			batch->result = apply_entry(db, batch, item);
	}
}
