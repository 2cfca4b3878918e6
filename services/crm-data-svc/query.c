#include "query.h"

#include "buffer.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

void query_and(cJSON *filter, cJSON *condition)
{
	cJSON *list = cJSON_GetObjectItemCaseSensitive(filter, "$and");

	if (list == NULL)
		list = cJSON_AddArrayToObject(filter, "$and");
	cJSON_AddItemToArray(list, condition);
}

static bool add_bound(cJSON *bounds, const char *operator, const char * text)
{
	char *end;
	long long number;

	if (text == NULL)
		return true;
	errno = 0;
	number = strtoll(text, &end, 10);
	if (end == text || *end != '\0' || errno != 0 || number < 0 || number > (1LL << 53))
		return false;
	cJSON_AddNumberToObject(bounds, operator,(double) number);
	return true;
}

bool query_add_span(cJSON *filter, const char *field, const char *since, const char *until)
{
	cJSON *bounds;

	if (since == NULL && until == NULL)
		return true;
	bounds = cJSON_AddObjectToObject(filter, field);
	return add_bound(bounds, "$gte", since) && add_bound(bounds, "$lt", until);
}

cJSON *query_prefix(const char *field, const char *prefix)
{
	struct buffer pattern = {0};
	cJSON *condition = cJSON_CreateObject(), *operator= cJSON_CreateObject();

	buffer_append_char(&pattern, '^');
	for (; *prefix != '\0'; prefix++) {
		if (strchr("\\^$.|?*+()[]{}", *prefix) != NULL)
			buffer_append_char(&pattern, '\\');
		buffer_append_char(&pattern, *prefix);
	}
	cJSON_AddStringToObject(operator, "$regex", buffer_str(&pattern));
	cJSON_AddItemToObject(condition, field, operator);
	buffer_free(&pattern);
	return condition;
}
