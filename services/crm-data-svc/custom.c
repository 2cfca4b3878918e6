#include "custom.h"

#include "json.h"
#include "kinds.h"
#include "record.h"

#include <string.h>

static bool is_one_of(const cJSON *choices, const char *text)
{
	const cJSON *item;

	cJSON_ArrayForEach(item, choices)
	{
		if (cJSON_IsString(item) && strcmp(item->valuestring, text) == 0)
			return true;
	}
	return false;
}

/* definition NULL: there is none. */
static bool fits(const cJSON *definition, const cJSON *value)
{
	const char *type = json_get_str(definition, "type");

	if (type == NULL)
		return false;
	if (strcmp(type, "number") == 0)
		return cJSON_IsNumber(value);
	if (strcmp(type, "bool") == 0)
		return cJSON_IsBool(value);
	if (strcmp(type, "date") == 0)
		return json_is_int(value);
	if (!cJSON_IsString(value))
		return false;
	return strcmp(type, "choice") != 0 ||
	       is_one_of(cJSON_GetObjectItemCaseSensitive(definition, "choices"),
			 value->valuestring);
}

static const cJSON *find(const cJSON *definitions, const char *name)
{
	const cJSON *item;

	cJSON_ArrayForEach(item, definitions)
	{
		if (strcmp(json_get_str(item, "_id"), name) == 0)
			return item;
	}
	return NULL;
}

static void check(const cJSON *definitions, const cJSON *custom, struct fault *fault_r)
{
	const cJSON *item;

	cJSON_ArrayForEach(item, custom)
	{
		const cJSON *definition = find(definitions, item->string);

		if (definition == NULL)
			fault_set(fault_r, "unknown_field", item->string,
				  "There is no such custom field");
		else if (!fits(definition, item))
			fault_set(fault_r, "invalid_field", item->string,
				  "It does not fit the custom field");
	}
	cJSON_ArrayForEach(item, definitions)
	{
		if (json_get_bool(item, "required", false) &&
		    cJSON_GetObjectItemCaseSensitive(custom, json_get_str(item, "_id")) == NULL)
			fault_set(fault_r, "missing_field", json_get_str(item, "_id"),
				  "This custom field must be there");
	}
}

enum db_result custom_check(struct db *db, const cJSON *custom, struct fault *fault_r)
{
	cJSON *filter = cJSON_CreateObject(), *definitions = NULL;
	struct db_page page = {NULL, 0};
	enum db_result result;

	cJSON_AddBoolToObject(filter, "k.live", true);
	result = db_find(db, kinds[KIND_CUSTOM_FIELD].collection, filter, &page, &definitions);
	if (result == DB_OK)
		check(definitions, custom, fault_r);
	cJSON_Delete(filter);
	cJSON_Delete(definitions);
	return result;
}
