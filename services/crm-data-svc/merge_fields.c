#include "merge_fields.h"

#include "json.h"
#include "kinds.h"

#include <string.h>

static bool is_same_item(const cJSON *a, const cJSON *b)
{
	const char *number = json_get_str(a, "number");

	if (number != NULL && json_get_str(b, "number") != NULL)
		return strcmp(number, json_get_str(b, "number")) == 0;
	return cJSON_Compare(a, b, true) != 0;
}

static void join_list(cJSON *into, const cJSON *from)
{
	const cJSON *item, *known;

	cJSON_ArrayForEach(item, from)
	{
		bool is_there = false;

		cJSON_ArrayForEach(known, into)
		{
			is_there |= is_same_item(known, item);
		}
		if (!is_there)
			cJSON_AddItemToArray(into, cJSON_Duplicate(item, true));
	}
}

cJSON *merge_join(const cJSON *into, const cJSON *from)
{
	cJSON *joined = cJSON_Duplicate(into, true), *own;

	for (const struct field *field = kinds[KIND_CLIENT].fields; field->name != NULL; field++) {
		const cJSON *item = cJSON_GetObjectItemCaseSensitive(from, field->name);

		own = cJSON_GetObjectItemCaseSensitive(joined, field->name);
		if (item == NULL || (field->flags & FIELD_READ_ONLY) != 0)
			continue;
		if (own == NULL)
			cJSON_AddItemToObject(joined, field->name, cJSON_Duplicate(item, true));
		else if (cJSON_IsArray(own) && cJSON_IsArray(item))
			join_list(own, item);
	}
	return joined;
}

cJSON *merge_without(const cJSON *now, const cJSON *merge)
{
	const cJSON *was = cJSON_GetObjectItemCaseSensitive(merge, "intoWas");
	cJSON *after = cJSON_Duplicate(now, true);
	cJSON *joined = merge_join(was, cJSON_GetObjectItemCaseSensitive(merge, "fromWas"));

	for (const struct field *field = kinds[KIND_CLIENT].fields; field->name != NULL; field++) {
		const cJSON *item = cJSON_GetObjectItemCaseSensitive(now, field->name);
		const cJSON *old = cJSON_GetObjectItemCaseSensitive(was, field->name);

		if (!cJSON_Compare(item, cJSON_GetObjectItemCaseSensitive(joined, field->name),
				   true))
			continue;
		cJSON_DeleteItemFromObjectCaseSensitive(after, field->name);
		if (old != NULL)
			cJSON_AddItemToObject(after, field->name, cJSON_Duplicate(old, true));
	}
	cJSON_Delete(joined);
	return after;
}
