#include "reminders.h"

#include "clock.h"
#include "crm_event.h"
#include "json.h"
#include "links.h"
#include "loop.h"
#include "mem.h"
#include "store.h"

#include <stdlib.h>
#include <string.h>

#define LOOK_MS 500
#define DUE_MAX 100

struct reminders {
	struct service *service;
	struct timer *timer;
	bool is_on;
	bool is_complete; /* Redis has them all */
	bool is_busy;
	bool is_closed;
	/* Owned, of the piece of work under way. */
	cJSON *ids;       /* that are due */
	cJSON *events;    /* to be told */
	cJSON *reminders; /* to be put into Redis, or taken out */
	enum db_result result;
};

static const struct kind *const callbacks = &kinds[KIND_CALLBACK];

static void forget(struct reminders *reminders)
{
	cJSON_Delete(reminders->ids);
	cJSON_Delete(reminders->events);
	cJSON_Delete(reminders->reminders);
	reminders->ids = reminders->events = reminders->reminders = NULL;
	reminders->is_busy = false;
	if (reminders->is_closed)
		free(reminders);
}

/* ---- telling ---- */

static cJSON *make_event(const cJSON *callback)
{
	static const char *const fields[] = {"clientId", "interactionId", "dueAt",
					     "agent",    "text",          "owner"};
	cJSON *data = cJSON_CreateObject();
	const cJSON *phones = cJSON_GetObjectItemCaseSensitive(callback, "phones");
	const char *number = phones != NULL ? json_get_str(phones->child, "number") : NULL;

	cJSON_AddStringToObject(data, "callbackId", json_get_str(callback, "_id"));
	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
		const cJSON *item = cJSON_GetObjectItemCaseSensitive(callback, fields[i]);

		if (item != NULL)
			cJSON_AddItemToObject(data, fields[i], cJSON_Duplicate(item, true));
	}
	if (number != NULL)
		cJSON_AddStringToObject(data, "number", number);
	return crm_event_new("crm:callback_due", NULL, json_get_str(callback, "agent"), data);
}

/* For which time it was told: so that going through them all tells nothing twice. */
static enum db_result mark(struct db *db, const cJSON *callback, int64_t at_ms)
{
	cJSON *filter = cJSON_CreateObject(), *update = cJSON_CreateObject();
	enum db_result result;

	cJSON_AddStringToObject(filter, "_id", json_get_str(callback, "_id"));
	cJSON_AddNumberToObject(cJSON_AddObjectToObject(update, "$set"), "reminded", (double)at_ms);
	result = db_update_many(db, callbacks->collection, filter, update, NULL);
	cJSON_Delete(filter);
	cJSON_Delete(update);
	return result;
}

static enum db_result tell_one(struct db *db, struct reminders *reminders, const char *id)
{
	cJSON *callback = NULL;
	int64_t at_ms = 0;
	enum db_result result = record_get(db, callbacks, id, &callback);

	if (result == DB_OK)
		at_ms = links_reminder(callback);
	if (at_ms > clock_wall_ms()) { /* put off meanwhile */
		cJSON_AddNumberToObject(reminders->reminders, id, (double)at_ms);
	} else {
		cJSON_AddNumberToObject(reminders->reminders, id, 0);
		if (at_ms > 0 && at_ms != json_get_int(callback, "reminded", 0)) {
			cJSON_AddItemToArray(reminders->events, make_event(callback));
			result = mark(db, callback, at_ms);
		}
	}
	cJSON_Delete(callback);
	return result == DB_NONE ? DB_OK : result;
}

static void tell_work(struct db *db, void *_reminders)
{
	struct reminders *reminders = _reminders;
	const cJSON *id;

	reminders->result = DB_OK;
	reminders->events = cJSON_CreateArray();
	reminders->reminders = cJSON_CreateObject();
	cJSON_ArrayForEach(id, reminders->ids)
	{
		if (reminders->result == DB_OK)
			reminders->result = tell_one(db, reminders, id->valuestring);
	}
}

static void on_worked(void *_reminders)
{
	struct reminders *reminders = _reminders;

	/* What was marked is told, even when a later one failed. */
	if (!reminders->is_closed && reminders->reminders != NULL &&
	    reminders->reminders->child != NULL) {
		reminders->service->metrics.crm_reminders_total +=
			(uint64_t)cJSON_GetArraySize(reminders->events);
		store_commit(reminders->service->link, reminders->events, NULL,
			     reminders->reminders, NULL, NULL);
	}
	forget(reminders);
}

static void on_due(const cJSON *ids, void *_reminders)
{
	struct reminders *reminders = _reminders;

	if (ids == NULL || ids->child == NULL || reminders->is_closed) {
		forget(reminders);
		return;
	}
	reminders->ids = cJSON_Duplicate(ids, true);
	if (mongo_run(reminders->service->mongo, MONGO_CALLS, tell_work, on_worked, reminders) < 0)
		forget(reminders);
}

/* ---- going through all ---- */

static void gather_work(struct db *db, void *_reminders)
{
	struct reminders *reminders = _reminders;
	cJSON *filter = cJSON_CreateObject(), *found = NULL;
	const cJSON *callback;
	struct db_page page = {NULL, 0};

	cJSON_AddStringToObject(filter, "status", "open");
	cJSON_AddBoolToObject(filter, "k.live", true);
	reminders->reminders = cJSON_CreateObject();
	reminders->result = db_find(db, callbacks->collection, filter, &page, &found);
	cJSON_ArrayForEach(callback, found)
	{
		int64_t at_ms = links_reminder(callback);

		if (at_ms > 0 && at_ms != json_get_int(callback, "reminded", 0))
			cJSON_AddNumberToObject(reminders->reminders, json_get_str(callback, "_id"),
						(double)at_ms);
	}
	cJSON_Delete(filter);
	cJSON_Delete(found);
}

static void on_put(bool ok, void *_reminders)
{
	struct reminders *reminders = _reminders;

	reminders->is_complete = ok;
	forget(reminders);
}

static void on_gathered(void *_reminders)
{
	struct reminders *reminders = _reminders;

	if (reminders->is_closed || reminders->result != DB_OK)
		forget(reminders);
	else
		store_commit(reminders->service->link, NULL, NULL, reminders->reminders, on_put,
			     reminders);
}

/* ---- the clock ---- */

static void look(void *_reminders)
{
	struct reminders *reminders = _reminders;
	struct service *service = reminders->service;

	if (!reminders->is_on || reminders->is_busy || !mongo_is_up(service->mongo))
		return;
	reminders->is_busy = true;
	if (reminders->is_complete)
		store_get_due(service->link, STORE_REMINDERS, clock_wall_ms(), DUE_MAX, on_due,
			      reminders);
	else if (mongo_run(service->mongo, MONGO_CALLS, gather_work, on_gathered, reminders) < 0)
		reminders->is_busy = false;
}

struct reminders *reminders_open(struct service *service)
{
	struct reminders *reminders = mem_new(struct reminders);

	reminders->service = service;
	reminders->timer = timer_start(service->daemon->loop, LOOK_MS, LOOK_MS, look, reminders);
	return reminders;
}

void reminders_start(struct reminders *reminders)
{
	reminders->is_on = true;
	reminders->is_complete = false;
}

void reminders_stop(struct reminders *reminders)
{
	reminders->is_on = false;
}

void reminders_mongo_up(struct reminders *reminders)
{
	look(reminders);
}

void reminders_close(struct reminders **_reminders)
{
	struct reminders *reminders = *_reminders;

	*_reminders = NULL;
	if (reminders == NULL)
		return;
	timer_stop(&reminders->timer);
	reminders->is_closed = true;
	reminders->is_on = false;
	if (!reminders->is_busy)
		free(reminders);
}
