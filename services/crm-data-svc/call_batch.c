#include "call_batch.h"

#include "crm_event.h"
#include "json.h"
#include "log.h"
#include "number_index.h"
#include "record.h"
#include "summary.h"

#include "msg_event.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CLIENTS_MAX 10

/* ---- entries ---- */

static cJSON *parse(const struct stream_entry *entry)
{
	const char *error;
	cJSON *event = json_parse(entry->data, entry->len, &error);
	struct msg_event message = {0};

	if (event != NULL && msg_event_parse(event, &message, &error) == 0 &&
	    message.call_id != NULL)
		return event;
	log_warn("entry is no event of a call", log_str("id", entry->id),
		 log_str("reason", event != NULL && message.call_id == NULL ? "no callId" : error));
	cJSON_Delete(event);
	return NULL;
}

static bool is_type(const cJSON *event, const char *type)
{
	const char *own = json_get_str(event, "eventType");

	return own != NULL && strcmp(own, type) == 0;
}

void call_batch_init(struct call_batch *batch, const struct stream_entry *entries, size_t count)
{
	batch->entries = cJSON_CreateArray();
	batch->acks = cJSON_CreateArray();
	batch->ended = cJSON_CreateArray();
	for (size_t i = 0; i < count; i++) {
		cJSON *item = cJSON_CreateObject(), *event = parse(&entries[i]);

		cJSON_AddStringToObject(item, "id", entries[i].id);
		if (event != NULL)
			cJSON_AddItemToObject(item, "event", event);
		if (event != NULL && is_type(event, "call:ended"))
			cJSON_AddItemToArray(batch->ended,
					     cJSON_CreateString(json_get_str(event, "callId")));
		cJSON_AddItemToArray(batch->entries, item);
		cJSON_AddItemToArray(batch->acks, cJSON_CreateString(entries[i].id));
	}
}

void call_batch_free(struct call_batch *batch)
{
	cJSON_Delete(batch->entries);
	cJSON_Delete(batch->acks);
	cJSON_Delete(batch->ended);
	cJSON_Delete(batch->calls);
	cJSON_Delete(batch->matches);
	cJSON_Delete(batch->events);
	free(batch);
}

/* ---- whose number ---- */

bool call_batch_number(const struct call_batch *batch, const cJSON *event, char out[PHONE_MAX])
{
	const cJSON *data = cJSON_GetObjectItemCaseSensitive(event, "data");
	const char *direction = json_get_str(data, "direction");
	const char *caller = json_get_str(data, "caller"), *callee = json_get_str(data, "callee");

	if (direction != NULL && strcmp(direction, "internal") == 0)
		return false;
	if (direction == NULL || strcmp(direction, "inbound") == 0) {
		if (caller != NULL && phone_normalise(batch->phones, caller, out))
			return true;
		if (direction != NULL)
			return false;
	}
	return callee != NULL && phone_normalise(batch->phones, callee, out);
}

/* ---- matching ---- */

static bool is_before_answer(const cJSON *event)
{
	return is_type(event, "call:originating") || is_type(event, "call:dialing") ||
	       is_type(event, "call:ringing") || is_type(event, "call:queued");
}

static enum db_result find(struct db *db, struct call_batch *batch, const char *call_id,
			   const char *number)
{
	cJSON *found = NULL, *match, *clients;
	enum db_result result = number_index_find(db, number, CLIENTS_MAX, &found);

	if (result != DB_OK)
		return result;
	match = cJSON_AddObjectToObject(batch->matches, call_id);
	cJSON_AddStringToObject(match, "number", number);
	clients = cJSON_AddArrayToObject(match, "clients");
	for (const cJSON *client = found->child; client != NULL; client = client->next)
		cJSON_AddItemToArray(clients, summary_of(db, client));
	cJSON_Delete(found);
	return DB_OK;
}

static void tell(struct call_batch *batch, const cJSON *event, const cJSON *match)
{
	const char *call_id = json_get_str(event, "callId");
	const cJSON *clients = cJSON_GetObjectItemCaseSensitive(match, "clients");
	cJSON *data = cJSON_CreateObject(), *told;
	char id[200];

	snprintf(id, sizeof(id), "call-%s", call_id);
	cJSON_AddStringToObject(data, "interactionId", id);
	cJSON_AddStringToObject(data, "number", json_get_str(match, "number"));
	cJSON_AddItemToObject(data, "clients", cJSON_Duplicate(clients, true));
	told = crm_event_new("crm:client_matched", call_id, json_get_str(event, "extension"), data);
	cJSON_AddItemToArray(batch->events, told);
}

static enum db_result match_event(struct db *db, struct call_batch *batch, const cJSON *event)
{
	const char *call_id = json_get_str(event, "callId");
	const cJSON *match = cJSON_GetObjectItemCaseSensitive(batch->matches, call_id);
	char number[PHONE_MAX];
	enum db_result result = DB_OK;

	if (!is_before_answer(event) || !call_batch_number(batch, event, number))
		return DB_OK;
	if (match == NULL)
		result = find(db, batch, call_id, number);
	match = cJSON_GetObjectItemCaseSensitive(batch->matches, call_id);
	if (result == DB_OK &&
	    cJSON_GetArraySize(cJSON_GetObjectItemCaseSensitive(match, "clients")) > 0)
		tell(batch, event, match);
	return result;
}

void call_batch_match_work(struct db *db, void *_batch)
{
	struct call_batch *batch = _batch;

	cJSON_Delete(batch->matches);
	cJSON_Delete(batch->events);
	batch->matches = cJSON_CreateObject();
	batch->events = cJSON_CreateArray();
	batch->result = DB_OK;
	for (const cJSON *item = batch->entries->child; item != NULL; item = item->next) {
		const cJSON *event = cJSON_GetObjectItemCaseSensitive(item, "event");

		if (event != NULL && batch->result == DB_OK)
			batch->result = match_event(db, batch, event);
	}
}
