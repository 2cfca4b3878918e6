/* Lists of every kind: filters, sort, pages by cursor. */
#include "ids.h"
#include "json.h"
#include "list_filter.h"
#include "mem.h"
#include "query.h"
#include "routes.h"
#include "settings.h"
#include "store.h"
#include "task.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#define CURSOR_BYTES 160

/* ---- order ---- */

struct order {
	const char *field;
	int sense; /* 1 or -1 */
	bool is_text;
};

static bool read_order(struct task *task, struct order *order_r)
{
	const char *text = http_query(task->request, "sort");
	const struct field *field;

	text = text != NULL ? text : task->kind->sort;
	order_r->sense = text[0] == '-' ? -1 : 1;
	text += text[0] == '-';
	field = fields_find(task->kind->fields, text);
	order_r->field = field != NULL ? field->name : text;
	order_r->is_text = field != NULL && field->type == FIELD_TEXT;
	return (field != NULL && (field->flags & FIELD_SORT) != 0) ||
	       strcmp(text, "createdAt") == 0 || strcmp(text, "updatedAt") == 0;
}

static cJSON *make_sort(const struct order *order)
{
	cJSON *sort = cJSON_CreateObject();

	cJSON_AddNumberToObject(sort, order->field, order->sense);
	cJSON_AddNumberToObject(sort, "_id", order->sense);
	return sort;
}

/* ---- pages: base64url of "id" or, for an order by number, "number id" ---- */

static cJSON *make_cursor(const struct order *order, const cJSON *last)
{
	char plain[CURSOR_BYTES + 32], text[2 * sizeof(plain)];
	const char *id = json_get_str(last, "_id");
	int len;

	if (order->is_text)
		len = snprintf(plain, sizeof(plain), "%.160s", id);
	else
		len = snprintf(plain, sizeof(plain), "%lld %.*s",
			       (long long)json_get_int(last, order->field, 0), CURSOR_BYTES, id);
	sodium_bin2base64(text, sizeof(text), (const unsigned char *)plain, (size_t)len,
			  sodium_base64_VARIANT_URLSAFE_NO_PADDING);
	return cJSON_CreateString(text);
}

static cJSON *compare(const struct order *order, const char *field, cJSON *value)
{
	cJSON *condition = cJSON_CreateObject(), *operator= cJSON_CreateObject();

	cJSON_AddItemToObject(operator, order->sense> 0 ? "$gt" : "$lt", value);
	cJSON_AddItemToObject(condition, field, operator);
	return condition;
}

/* Takes over value. */
static void add_start(cJSON *filter, const struct order *order, cJSON *value, const char *id)
{
	cJSON *either = cJSON_CreateObject(), *list = cJSON_AddArrayToObject(either, "$or");
	cJSON *same = compare(order, "_id", cJSON_CreateString(id));

	cJSON_AddItemToArray(list, compare(order, order->field, cJSON_Duplicate(value, true)));
	cJSON_AddItemToObject(same, order->field, value);
	cJSON_AddItemToArray(list, same);
	query_and(filter, either);
}

/* The text by which the last record of the page before is sorted is read from that record. */
static enum db_result start_at_text(struct db *db, struct task *task, cJSON *filter,
				    const struct order *order, const char *id)
{
	cJSON *last = NULL;
	const cJSON *value;
	enum db_result result = record_get(db, task->kind, id, &last);

	value = cJSON_GetObjectItemCaseSensitive(last, order->field);
	if (value != NULL)
		add_start(filter, order, cJSON_Duplicate(value, true), id);
	cJSON_Delete(last);
	return result == DB_OK && value == NULL ? DB_NONE : result;
}

static enum db_result start_after(struct db *db, struct task *task, cJSON *filter,
				  const struct order *order)
{
	char plain[CURSOR_BYTES + 32];
	const char *cursor = task->page.cursor, *id = plain;
	size_t len = 0;

	if (cursor == NULL)
		return DB_OK;
	if (sodium_base642bin((unsigned char *)plain, sizeof(plain) - 1, cursor, strlen(cursor),
			      NULL, &len, NULL, sodium_base64_VARIANT_URLSAFE_NO_PADDING) < 0)
		return DB_NONE;
	plain[len] = '\0';
	if (!order->is_text) {
		id = strchr(plain, ' ');
		if (id == NULL || !id_is_safe(++id, CURSOR_BYTES))
			return DB_NONE;
		add_start(filter, order, cJSON_CreateNumber(strtod(plain, NULL)), id);
		return DB_OK;
	}
	return id_is_safe(id, CURSOR_BYTES) ? start_at_text(db, task, filter, order, id) : DB_NONE;
}

/* ---- the page ---- */

static void reply_page(struct task *task, cJSON *list, const struct order *order)
{
	cJSON *reply = cJSON_CreateObject(), *next = NULL, *item;

	if ((size_t)cJSON_GetArraySize(list) > task->page.limit) {
		cJSON_DeleteItemFromArray(list, (int)task->page.limit);
		next = make_cursor(order, cJSON_GetArrayItem(list, (int)task->page.limit - 1));
	}
	cJSON_ArrayForEach(item, list)
	{
		if (task->kind->id == KIND_CLIENT)
			task_saw(task, json_get_str(item, "_id"));
		record_public(item);
	}
	if (task->kind->id != KIND_CLIENT)
		task_saw(task, http_query(task->request, "clientId"));
	cJSON_AddItemToObject(reply, task->kind->collection, list);
	cJSON_AddItemToObject(reply, "nextCursor", next != NULL ? next : cJSON_CreateNull());
	task_reply(task, 200, reply);
}

static void list(struct db *db, struct task *task)
{
	struct order order;
	cJSON *found = NULL, *filter;
	struct db_page page = {NULL, task->page.limit + 1};
	enum db_result result;

	if (!read_order(task, &order)) {
		task_refuse(task, 400, "bad_request", "It cannot be sorted by that");
		return;
	}
	filter = list_filter(task);
	if (filter == NULL) {
		task_refuse(task, 400, "bad_request", "A filter has a value that cannot be");
		return;
	}
	result = start_after(db, task, filter, &order);
	if (result == DB_NONE) {
		task_refuse(task, 400, "invalid_cursor", "This is no cursor of this list");
	} else {
		cJSON *sort = make_sort(&order);

		page.sort = sort;
		if (result == DB_OK)
			result = db_find(db, task->kind->collection, filter, &page, &found);
		cJSON_Delete(sort);
		if (result == DB_OK)
			reply_page(task, found, &order);
		else
			task_refuse_db(task, result);
	}
	cJSON_Delete(filter);
}

void handle_record_list(struct http_request *request, void *service)
{
	task_start(request, service, MONGO_SLOW, list);
}

/* ---- how much one may list ---- */

static void on_counted(int64_t listed, void *context)
{
	struct http_request *request = context;

	if (listed < 0) {
		http_reply_error(request, 503, "unavailable", "Redis is away");
	} else if (listed > settings.crm.list_rate) {
		http_reply_header(request, "Retry-After", "60");
		http_reply_error(request, 429, "listed_too_much",
				 "Too many records were listed within a minute");
	} else {
		http_proceed(request);
	}
}

static void count(struct http_request *request, struct service *service, size_t records)
{
	const struct principal *who = http_principal(request);

	if (principal_may(who, PERMISSION_ALL_CLIENTS))
		http_proceed(request);
	else
		store_count_listed(service->link, who->user_id, (int64_t)records, on_counted,
				   request);
}

void guard_list(struct http_request *request, void *service)
{
	struct http_page page;

	if (http_page(request, &page))
		count(request, service, page.limit);
}

void guard_lookup(struct http_request *request, void *service)
{
	count(request, service, 1);
}
