#include "analytics.h"

#include "json.h"
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

/* sum: a field ("$talkMs"), NULL to count. Rows of {"_id", "n"}. */
static enum db_result run(struct db *db, const cJSON *filter, const char *group, const char *sum,
			  cJSON **rows_r)
{
	cJSON *pipeline = cJSON_CreateArray(), *match = cJSON_CreateObject();
	cJSON *stage = cJSON_CreateObject(), *into = cJSON_AddObjectToObject(stage, "$group");
	cJSON *total;
	enum db_result result;

	cJSON_AddItemReferenceToObject(match, "$match", (cJSON *)filter);
	if (group != NULL)
		cJSON_AddStringToObject(into, "_id", group);
	else
		cJSON_AddNullToObject(into, "_id");
	total = cJSON_AddObjectToObject(into, "n");
	if (sum != NULL)
		cJSON_AddStringToObject(total, "$sum", sum);
	else
		cJSON_AddNumberToObject(total, "$sum", 1);
	cJSON_AddItemToArray(pipeline, match);
	cJSON_AddItemToArray(pipeline, stage);
	result = db_aggregate(db, "interactions", pipeline, rows_r);
	cJSON_Delete(pipeline);
	return result;
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
static cJSON *group_of(cJSON *groups, const char *key)
{
	cJSON *group;

	cJSON_ArrayForEach(group, groups)
	{
		if (strcmp(json_get_str(group, "key"), key) == 0)
			return group;
	}
	group = cJSON_CreateObject();
	cJSON_AddStringToObject(group, "key", key);
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

		if (cJSON_GetArraySize(groups) >= GROUPS_MAX)
			return;
		if (cJSON_IsNumber(key))
			format_span(query, (int64_t)key->valuedouble, span);
		add(group_of(groups, cJSON_IsNumber(key)   ? span
				     : cJSON_IsString(key) ? key->valuestring
							   : ""),
		    name, cJSON_GetNumberValue(cJSON_GetObjectItemCaseSensitive(row, "n")));
	}
}

static enum db_result add_groups(struct db *db, const struct analytics_query *query,
				 const cJSON *filter, cJSON *groups)
{
	static const struct {
		const char *name, *sum;
	} figures[] = {{"count", NULL}, {"talkMs", "$talkMs"}, {"durationMs", "$durationMs"}};
	enum db_result result = DB_OK;
	cJSON *rows;

	for (size_t i = 0; i < sizeof(figures) / sizeof(figures[0]) && result == DB_OK; i++) {
		rows = NULL;
		result = run(db, filter, find_dimension(query->by)->field, figures[i].sum, &rows);
		add_rows(query, rows, figures[i].name, groups);
		cJSON_Delete(rows);
	}
	return result;
}

/* ---- totals ---- */

struct condition {
	const char *field;
	bool value; /* false: it is not there, or false */
};

static enum db_result count(struct db *db, const cJSON *filter, const struct condition *conditions,
			    const char *name, cJSON *totals)
{
	cJSON *own = cJSON_Duplicate(filter, true), *rows = NULL, *not_true;
	enum db_result result;

	for (; conditions->field != NULL; conditions++) {
		if (conditions->value) {
			cJSON_AddTrueToObject(own, conditions->field);
			continue;
		}
		not_true = cJSON_AddObjectToObject(own, conditions->field);
		cJSON_AddTrueToObject(not_true, "$ne");
	}
	result = run(db, own, NULL, NULL, &rows);
	cJSON_AddNumberToObject(totals, name,
				rows != NULL && rows->child != NULL
					? (double)json_get_int(rows->child, "n", 0)
					: 0);
	cJSON_Delete(rows);
	cJSON_Delete(own);
	return result;
}

/* First contact: the client had not been in touch shortly before. It was enough when the matter was
   settled and the client did not come back shortly after. */
static enum db_result add_totals(struct db *db, const cJSON *filter, cJSON *totals)
{
	static const struct {
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
	enum db_result result = DB_OK;

	for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]) && result == DB_OK; i++)
		result = count(db, filter, counts[i].conditions, counts[i].name, totals);
	return result;
}

enum db_result analytics_run(struct db *db, const struct analytics_query *query, cJSON **reply_r)
{
	cJSON *filter = cJSON_CreateObject(), *reply = cJSON_CreateObject(), *groups;
	enum db_result result;

	(void)make_filter(query, filter);
	groups = cJSON_AddArrayToObject(reply, "groups");
	result = add_totals(db, filter, cJSON_AddObjectToObject(reply, "totals"));
	if (query->by != NULL)
		cJSON_AddStringToObject(reply, "by", query->by);
	if (result == DB_OK && query->by != NULL)
		result = add_groups(db, query, filter, groups);
	cJSON_Delete(filter);
	*reply_r = result == DB_OK ? reply : NULL;
	if (result != DB_OK)
		cJSON_Delete(reply);
	return result;
}
