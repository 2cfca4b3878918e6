#include "summary.h"

#include "activity.h"
#include "json.h"

static void copy(cJSON *into, const char *name, const cJSON *from, const char *field)
{
	const cJSON *item = cJSON_GetObjectItemCaseSensitive(from, field);

	if (item != NULL)
		cJSON_AddItemToObject(into, name, cJSON_Duplicate(item, true));
}

static void add_last(struct db *db, const cJSON *client, cJSON *summary)
{
	cJSON *activity = NULL, *last;

	if (activity_get(db, json_get_str(client, "_id"), &activity) != DB_OK || activity == NULL)
		return;
	last = cJSON_AddObjectToObject(summary, "last");
	copy(last, "at", activity, "lastAt");
	copy(last, "interactionId", activity, "lastId");
	copy(last, "kind", activity, "lastKind");
	copy(last, "result", activity, "lastResult");
	copy(last, "disposition", activity, "lastDisposition");
	copy(last, "subject", activity, "lastSubject");
	cJSON_Delete(activity);
}

cJSON *summary_of(struct db *db, const cJSON *client)
{
	static const char *const fields[] = {"name",     "type",  "organisation", "tags",
					     "language", "owner", "team",         "consent"};
	const cJSON *contact = cJSON_GetObjectItemCaseSensitive(client, "contact");
	cJSON *summary = cJSON_CreateObject(), *person;

	copy(summary, "id", client, "_id");
	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
		copy(summary, fields[i], client, fields[i]);
	if (contact != NULL) {
		person = cJSON_AddObjectToObject(summary, "contact");
		copy(person, "id", contact, "_id");
		copy(person, "name", contact, "name");
		copy(person, "position", contact, "position");
	}
	add_last(db, client, summary);
	return summary;
}
