#include "audit.h"

#include "clock.h"
#include "ids.h"
#include "json.h"
#include "log.h"
#include "loop.h"
#include "mem.h"

#include <stdlib.h>
#include <string.h>

#define FLUSH_MS    1000
#define BATCH_MAX   500
#define WAITING_MAX 50000
#define RECENT      64  /* entries that are looked at for one that can be added to */
#define CLIENTS_MAX 200 /* of one entry */
#define COLLECTION  "audit"

struct audit {
	struct mongo *mongo;
	struct timer *timer;
	cJSON *waiting; /* owned: a list of entries */
	size_t count;   /* of the clients in them */
	cJSON *writing; /* owned: on the thread */
	enum db_result result;
	bool is_under_way;
	bool is_closed;
};

static void free_audit(struct audit *audit)
{
	cJSON_Delete(audit->waiting);
	cJSON_Delete(audit->writing);
	free(audit);
}

static void write_entries(struct db *db, void *_audit)
{
	struct audit *audit = _audit;

	audit->result = db_insert_new(db, COLLECTION, audit->writing);
}

static void on_written(void *_audit)
{
	struct audit *audit = _audit;

	audit->is_under_way = false;
	if (audit->is_closed) {
		free_audit(audit);
		return;
	}
	if (audit->result == DB_OK) {
		cJSON_Delete(audit->writing);
		audit->writing = NULL;
	} else {
		log_warn("audit not written",
			 log_int("entries", cJSON_GetArraySize(audit->writing)));
	}
	if (audit->result == DB_OK && audit->count >= BATCH_MAX)
		audit_flush(audit);
}

/* What failed is tried again as it is; its ids make that harmless. */
void audit_flush(struct audit *audit)
{
	if (audit->is_under_way || audit_idle(audit))
		return;
	if (audit->writing == NULL) {
		audit->writing = audit->waiting;
		audit->waiting = cJSON_CreateArray();
		audit->count = 0;
	}
	audit->is_under_way =
		mongo_run(audit->mongo, MONGO_AUDIT, write_entries, on_written, audit) == 0;
}

bool audit_idle(const struct audit *audit)
{
	return audit->writing == NULL && audit->count == 0;
}

static void on_timer(void *audit)
{
	audit_flush(audit);
}

struct audit *audit_open(uv_loop_t *loop, struct mongo *mongo)
{
	struct audit *audit = mem_new(struct audit);

	audit->mongo = mongo;
	audit->waiting = cJSON_CreateArray();
	audit->timer = timer_start(loop, FLUSH_MS, FLUSH_MS, on_timer, audit);
	return audit;
}

static bool is_text(const cJSON *entry, const char *name, const char *text)
{
	return strcmp(json_get_str(entry, name), text) == 0;
}

/* The entry of this moment for the same one on the same way; NULL: there is none. */
static cJSON *find_recent(const struct audit *audit, const struct principal *who,
			  const char *address, const char *method, const char *route)
{
	cJSON *first = audit->waiting->child, *entry = first != NULL ? first->prev : NULL;

	for (int i = 0; i < RECENT && entry != NULL; i++) {
		if (is_text(entry, "by", who->user_id) && is_text(entry, "route", route) &&
		    is_text(entry, "method", method) && is_text(entry, "address", address))
			return cJSON_GetArraySize(cJSON_GetObjectItemCaseSensitive(
				       entry, "clients")) < CLIENTS_MAX
				       ? entry
				       : NULL;
		entry = entry != first ? entry->prev : NULL;
	}
	return NULL;
}

static cJSON *add_entry(struct audit *audit, const struct principal *who, const char *address,
			const char *method, const char *route)
{
	char id[ID_CALL_LEN + 1];
	cJSON *entry = cJSON_CreateObject();

	id_call(id);
	cJSON_AddStringToObject(entry, "_id", id);
	cJSON_AddNumberToObject(entry, "at", (double)clock_wall_ms());
	cJSON_AddStringToObject(entry, "by", who->user_id);
	cJSON_AddStringToObject(entry, "byName", who->username);
	cJSON_AddStringToObject(entry, "address", address);
	cJSON_AddStringToObject(entry, "method", method);
	cJSON_AddStringToObject(entry, "route", route);
	cJSON_AddArrayToObject(entry, "clients");
	cJSON_AddItemToArray(audit->waiting, entry);
	return entry;
}

void audit_add(struct audit *audit, const struct principal *who, const char *address,
	       const char *method, const char *route, const cJSON *clients)
{
	cJSON *entry = find_recent(audit, who, address, method, route), *into;
	const cJSON *client;

	if (entry == NULL)
		entry = add_entry(audit, who, address, method, route);
	into = cJSON_GetObjectItemCaseSensitive(entry, "clients");
	cJSON_ArrayForEach(client, clients)
	{
		cJSON_AddItemToArray(into, cJSON_CreateString(client->valuestring));
		audit->count++;
	}
	if (audit->count >= BATCH_MAX)
		audit_flush(audit);
}

bool audit_is_full(const struct audit *audit)
{
	return audit->count >= WAITING_MAX;
}

void audit_close(struct audit **_audit)
{
	struct audit *audit = *_audit;

	*_audit = NULL;
	if (audit == NULL)
		return;
	timer_stop(&audit->timer);
	audit->is_closed = true;
	if (!audit->is_under_way)
		free_audit(audit);
}
