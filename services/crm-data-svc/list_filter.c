#include "list_filter.h"

#include "clock.h"
#include "query.h"

#include <string.h>

static bool is_given(const struct task *task, const char *name)
{
	return http_query(task->request, name) != NULL;
}

static bool add_filters(const struct task *task, cJSON *filter)
{
	for (const struct field *field = task->kind->fields; field->name != NULL; field++) {
		cJSON *value;

		if ((field->flags & FIELD_FILTER) == 0 || !is_given(task, field->name))
			continue;
		value = fields_filter_value(field, http_query(task->request, field->name));
		if (value == NULL)
			return false;
		cJSON_AddItemToObject(filter, field->name, value);
	}
	return query_add_span(filter, "createdAt", http_query(task->request, "since"),
			      http_query(task->request, "until"));
}

/* Announcements that are over are not shown unless they are asked for. */
static void drop_expired(const struct task *task, cJSON *filter)
{
	const char *expired = http_query(task->request, "expired");
	cJSON *both, *list, *never, *later;

	if (task->kind->id != KIND_POST || (expired != NULL && strcmp(expired, "true") == 0))
		return;
	both = cJSON_CreateObject();
	list = cJSON_AddArrayToObject(both, "$or");
	never = cJSON_CreateObject();
	later = cJSON_CreateObject();
	cJSON_AddNullToObject(never, "expiresAt");
	cJSON_AddNumberToObject(cJSON_AddObjectToObject(later, "expiresAt"), "$gt",
				(double)clock_wall_ms());
	cJSON_AddItemToArray(list, never);
	cJSON_AddItemToArray(list, later);
	query_and(filter, both);
}

cJSON *list_filter(const struct task *task)
{
	cJSON *filter = cJSON_CreateObject();
	const char *deleted = http_query(task->request, "deleted");

	cJSON_AddBoolToObject(filter, "k.live", deleted == NULL || strcmp(deleted, "true") != 0);
	if ((task->kind->flags & KIND_SCOPED) != 0)
		scope_filter(&task->scope, filter);
	drop_expired(task, filter);
	if (add_filters(task, filter))
		return filter;
	cJSON_Delete(filter);
	return NULL;
}
