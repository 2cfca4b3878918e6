#include "analytics.h"

#include "json.h"
#include "mem.h"
#include "query.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define HOUR_S     3600
#define GROUPS_MAX 1000

/* Spans of time are grouped by the hour and joined here: in the time zone that was asked for, and
   without any operator on dates. */
static const struct dimension {
	const char *name, *field;
} dimensions[] = {
	{"agent", "$agent"},
	{"kind", "$kind"},
	{"direction", "$direction"},
	{"outcome", "$result"},
	{"disposition", "$disposition"},
	{"reason", "$reason"},
	{"client", "$clientId"},
	{"hour", "$k.hour"},
	{"day", "$k.hour"},
	{"week", "$k.hour"},
	{"month", "$k.hour"},
};

static const struct dimension *find_dimension(const char *name)
{
	for (size_t i = 0; name != NULL && i < sizeof(dimensions) / sizeof(dimensions[0]); i++)
		if (strcmp(dimensions[i].name, name) == 0)
			return &dimensions[i];
	return NULL;
}

static bool is_minutes(const char *text)
{
	char *end;
	long minutes = strtol(text, &end, 10);

	return end != text && *end == '\0' && labs(minutes) <= 14L * 60;
}

/* ---- what counts ---- */

static bool make_filter(const struct analytics_query *query, cJSON *filter)
{
	cJSON_AddBoolToObject(filter, "k.live", true);
	scope_filter(query->scope, filter);
	if (query->agent != NULL)
		cJSON_AddStringToObject(filter, "agent", query->agent);
	if (query->kind != NULL)
		cJSON_AddStringToObject(filter, "kind", query->kind);
	return query_add_span(filter, "startedAt", query->since, query->until);
}

bool analytics_is_good(const struct analytics_query *query)
{
	cJSON *filter = cJSON_CreateObject();
	bool good = make_filter(query, filter) &&
		    (query->by == NULL || find_dimension(query->by) != NULL) &&
		    (query->offset_minutes == NULL || is_minutes(query->offset_minutes));

	cJSON_Delete(filter);
	return good;
}

/* ---- one sum ---- */

static void add_stage(cJSON *pipeline, const char *name, cJSON *value)
{
	cJSON *stage = cJSON_CreateObject();

	cJSON_AddItemToObject(stage, name, value);
	cJSON_AddItemToArray(pipeline, stage);
}

/* The greatest first, and not more than are shown. */
static void add_top(cJSON *pipeline)
{
	cJSON *sort = cJSON_CreateObject();

	cJSON_AddNumberToObject(sort, "n", -1);
	add_stage(pipeline, "$sort", sort);
	add_stage(pipeline, "$limit", cJSON_CreateNumber(GROUPS_MAX));
}

/* group: a field ("$agent"), NULL for one sum of all; sum: a field, NULL to count. Rows of {"_id",
   "n"}. */
static enum db_result run(struct db *db, const cJSON *filter, const char *group, const char *sum,
			  bool top, cJSON **rows_r)
{
	cJSON *pipeline = cJSON_CreateArray(), *into = cJSON_CreateObject(), *total;
	enum db_result result;

	if (group != NULL)
		cJSON_AddStringToObject(into, "_id", group);
	else
		cJSON_AddNullToObject(into, "_id");
	total = cJSON_AddObjectToObject(into, "n");
	if (sum != NULL)
		cJSON_AddStringToObject(total, "$sum", sum);
	else
		cJSON_AddNumberToObject(total, "$sum", 1);
	add_stage(pipeline, "$match", cJSON_Duplicate(filter, true));
	add_stage(pipeline, "$group", into);
	if (top)
		add_top(pipeline);
	result = db_aggregate(db, "interactions", pipeline, rows_r);
	cJSON_Delete(pipeline);
	return result;
}

/* ---- what is counted ---- */

struct condition {
	const char *field;
	bool value; /* false: it is not there, or false */
};

/* First contact: the client had not been in touch shortly before. It was enough when the matter was
   settled and the client did not come back shortly after. */
static const struct count {
	const char *name;
	struct condition conditions[4];
} counts[] = {
	{"count", {{NULL, false}}},
	{"resolved", {{"resolved", true}, {NULL, false}}},
	{"repeat", {{"repeat", true}, {NULL, false}}},
	{"firstContact", {{"repeat", false}, {NULL, false}}},
	{"firstContactResolved",
	 {{"resolved", true}, {"repeat", false}, {"followedUp", false}, {NULL, false}}},
};

#define COUNTS (sizeof(counts) / sizeof(counts[0]))

static cJSON *narrow(const cJSON *filter, const struct condition *conditions)
{
	cJSON *own = cJSON_Duplicate(filter, true);

	for (; conditions->field != NULL; conditions++) {
		if (conditions->value)
			cJSON_AddTrueToObject(own, conditions->field);
		else
			cJSON_AddTrueToObject(cJSON_AddObjectToObject(own, conditions->field),
					      "$ne");
	}
	return own;
}

/* ---- groups ---- */

static time_t zone_offset_s(const struct analytics_query *query)
{
	return query->offset_minutes != NULL ? 60 * strtol(query->offset_minutes, NULL, 10) : 0;
}

/* "2026-11-23T07", "2026-11-23", "2026-W48", "2026-11": in that time zone. */
static void format_span(const struct analytics_query *query, int64_t hour, char out[24])
{
	time_t at = (time_t)hour * HOUR_S + zone_offset_s(query);
	const char *format = "%Y-%m";
	struct tm tm;

	gmtime_r(&at, &tm);
	if (strcmp(query->by, "hour") == 0)
		format = "%Y-%m-%dT%H";
	else if (strcmp(query->by, "day") == 0)
		format = "%Y-%m-%d";
	else if (strcmp(query->by, "week") == 0)
		format = "%G-W%V";
	if (strftime(out, 24, format, &tm) == 0)
		out[0] = '\0';
}

/* The group of that key; made when it is not there. */
static cJSON *group_of(cJSON *groups, const char *key, bool is_span)
{
	cJSON *group;

	cJSON_ArrayForEach(group, groups)
	{
		if (strcmp(json_get_str(group, "key"), key) == 0)
			return group;
	}
	group = cJSON_CreateObject();
	cJSON_AddStringToObject(group, "key", key);
	cJSON_AddBoolToObject(group, "isSpan", is_span);
	for (size_t i = 0; i < COUNTS; i++)
		cJSON_AddNumberToObject(group, counts[i].name, 0);
	cJSON_AddItemToArray(groups, group);
	return group;
}

static void add(cJSON *group, const char *name, double number)
{
	cJSON *item = cJSON_GetObjectItemCaseSensitive(group, name);

	if (item != NULL)
		cJSON_SetNumberValue(item, item->valuedouble + number);
	else
		cJSON_AddNumberToObject(group, name, number);
}

static void add_rows(const struct analytics_query *query, const cJSON *rows, const char *name,
		     cJSON *groups)
{
	const cJSON *row;

	cJSON_ArrayForEach(row, rows)
	{
		const cJSON *key = cJSON_GetObjectItemCaseSensitive(row, "_id");
		char span[24];

		if (cJSON_IsNumber(key))
			format_span(query, (int64_t)key->valuedouble, span);
		add(group_of(groups,
			     cJSON_IsNumber(key)   ? span
			     : cJSON_IsString(key) ? key->valuestring
						   : "",
			     cJSON_IsNumber(key)),
		    name, cJSON_GetNumberValue(cJSON_GetObjectItemCaseSensitive(row, "n")));
	}
}

static enum db_result count_groups(struct db *db, const struct analytics_query *query,
				   const cJSON *filter, const struct count *count, cJSON *groups)
{
	const char *field = find_dimension(query->by)->field;
	cJSON *own = narrow(filter, count->conditions), *rows = NULL;
	bool top = count == counts && strcmp(field, "$k.hour") != 0;
	enum db_result result = run(db, own, field, NULL, top, &rows);

	add_rows(query, rows, count->name, groups);
	cJSON_Delete(rows);
	cJSON_Delete(own);
	return result;
}

static enum db_result sum_groups(struct db *db, const struct analytics_query *query,
				 const cJSON *filter, const char *name, const char *field,
				 cJSON *groups)
{
	cJSON *rows = NULL;
	enum db_result result =
		run(db, filter, find_dimension(query->by)->field, field, false, &rows);

	add_rows(query, rows, name, groups);
	cJSON_Delete(rows);
	return result;
}

/* Spans of time as they follow; all else with the most first. */
static int compare_groups(const void *_a, const void *_b)
{
	const cJSON *a = *(cJSON *const *)_a, *b = *(cJSON *const *)_b;
	int64_t more = json_get_int(b, "count", 0) - json_get_int(a, "count", 0);

	if (json_get_bool(a, "isSpan", false) || more == 0)
		return strcmp(json_get_str(a, "key"), json_get_str(b, "key"));
	return more > 0 ? 1 : -1;
}

static cJSON *sort_groups(cJSON *groups)
{
	size_t count = (size_t)cJSON_GetArraySize(groups);
	cJSON **list = mem_array(cJSON *, count + 1), *sorted = cJSON_CreateArray();

	for (size_t i = 0; i < count; i++)
		list[i] = cJSON_DetachItemFromArray(groups, 0);
	qsort(list, count, sizeof(cJSON *), compare_groups);
	for (size_t i = 0; i < count; i++) {
		cJSON_DeleteItemFromObjectCaseSensitive(list[i], "isSpan");
		cJSON_AddItemToArray(sorted, list[i]);
		if (i >= GROUPS_MAX)
			cJSON_Delete(cJSON_DetachItemFromArray(sorted, GROUPS_MAX));
	}
	free(list);
	cJSON_Delete(groups);
	return sorted;
}

/* Clients may be a million: only those that were found first are looked at again. groups NULL: none
   was found yet, but one there must be. */
static cJSON *keep_to(const struct analytics_query *query, const cJSON *filter, const cJSON *groups)
{
	cJSON *own = cJSON_Duplicate(filter, true), *which, *list;
	const cJSON *group;

	if (strcmp(query->by, "client") != 0)
		return own;
	which = cJSON_AddObjectToObject(own, "clientId");
	if (groups == NULL) {
		cJSON_AddNullToObject(which, "$ne");
		return own;
	}
	list = cJSON_AddArrayToObject(which, "$in");
	cJSON_ArrayForEach(group, groups)
	{
		cJSON_AddItemToArray(list, cJSON_CreateString(json_get_str(group, "key")));
	}
	return own;
}

static enum db_result add_groups(struct db *db, const struct analytics_query *query,
				 const cJSON *filter, cJSON **groups_r)
{
	cJSON *groups = cJSON_CreateArray(), *own = keep_to(query, filter, NULL);
	enum db_result result = count_groups(db, query, own, &counts[0], groups);

	cJSON_Delete(own);
	own = keep_to(query, filter, groups);
	for (size_t i = 1; i < COUNTS && result == DB_OK; i++)
		result = count_groups(db, query, own, &counts[i], groups);
	if (result == DB_OK)
		result = sum_groups(db, query, own, "talkMs", "$talkMs", groups);
	if (result == DB_OK)
		result = sum_groups(db, query, own, "durationMs", "$durationMs", groups);
	cJSON_Delete(own);
	*groups_r = sort_groups(groups);
	return result;
}

/* ---- totals ---- */

static enum db_result add_totals(struct db *db, const cJSON *filter, cJSON *totals)
{
	enum db_result result = DB_OK;

	for (size_t i = 0; i < COUNTS && result == DB_OK; i++) {
		cJSON *own = narrow(filter, counts[i].conditions), *rows = NULL;

		result = run(db, own, NULL, NULL, false, &rows);
		cJSON_AddNumberToObject(totals, counts[i].name,
					rows != NULL && rows->child != NULL
						? (double)json_get_int(rows->child, "n", 0)
						: 0);
		cJSON_Delete(rows);
		cJSON_Delete(own);
	}
	return result;
}

enum db_result analytics_run(struct db *db, const struct analytics_query *query, cJSON **reply_r)
{
	cJSON *filter = cJSON_CreateObject(), *reply = cJSON_CreateObject();
	cJSON *groups = NULL;
	enum db_result result;

	(void)make_filter(query, filter);
	result = add_totals(db, filter, cJSON_AddObjectToObject(reply, "totals"));
	if (query->by != NULL)
		cJSON_AddStringToObject(reply, "by", query->by);
	if (result == DB_OK && query->by != NULL)
		result = add_groups(db, query, filter, &groups);
	cJSON_AddItemToObject(reply, "groups", groups != NULL ? groups : cJSON_CreateArray());
	cJSON_Delete(filter);
	*reply_r = result == DB_OK ? reply : NULL;
	if (result != DB_OK)
		cJSON_Delete(reply);
	return result;
}
