#include "activity.h"

#include "json.h"

#define ACTIVITY "activity"

enum db_result activity_get(struct db *db, const char *client_id, cJSON **activity_r)
{
	enum db_result result = db_get(db, ACTIVITY, client_id, activity_r);

	return result == DB_NONE ? DB_OK : result;
}

static void copy(cJSON *into, const char *name, const cJSON *from, const char *field)
{
	const cJSON *item = cJSON_GetObjectItemCaseSensitive(from, field);

	if (item != NULL)
		cJSON_AddItemToObject(into, name, cJSON_Duplicate(item, true));
}

void activity_note(struct db *db, const cJSON *interaction)
{
	const char *client_id = json_get_str(interaction, "clientId");
	cJSON *known = NULL, *doc;
	enum db_result result = DB_FAILED;

	if (client_id == NULL || activity_get(db, client_id, &known) != DB_OK)
		return;
	if (json_get_int(known, "lastAt", 0) <= json_get_int(interaction, "startedAt", 0)) {
		doc = cJSON_CreateObject();
		cJSON_AddStringToObject(doc, "_id", client_id);
		copy(doc, "lastAt", interaction, "startedAt");
		copy(doc, "lastId", interaction, "_id");
		copy(doc, "lastKind", interaction, "kind");
		copy(doc, "lastResult", interaction, "result");
		copy(doc, "lastDisposition", interaction, "disposition");
		copy(doc, "lastSubject", interaction, "subject");
		result = db_put(db, ACTIVITY, doc);
		cJSON_Delete(doc);
	}
	(void)result;
	cJSON_Delete(known);
}
