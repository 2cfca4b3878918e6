#include "live_list.h"

#include "clock.h"
#include "live_view.h"
#include "mem.h"
#include "settings.h"
#include "zone.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#define NAMES_MAX    25000
#define NAME_MAX_LEN 100

struct list {
	struct service *service;
	struct http_request *request;
	const struct live_kind *kind;
	size_t limit;
	char *after; /* NULL: from the first */
	char *value; /* of ?state=, NULL: any */
	char **names;
	size_t count, waiting;
	size_t at, asked, shown; /* in names */
	bool failed;
	struct buffer items; /* JSON objects parted by commas */
};

int64_t live_day_at(int64_t now)
{
	return zone_begin(settings.numbers.zone, ZONE_DAY, now);
}

void live_write_as_of(const struct service *service, const char *pbx, struct json_writer *writer)
{
	bool stale;
	int64_t as_of = pbx_watch_as_of(service->watch, pbx, &stale);

	json_field_int(writer, "asOf", as_of);
	json_field_bool(writer, "stale", stale);
}

static void list_free(struct list *list)
{
	for (size_t i = 0; i < list->count; i++)
		free(list->names[i]);
	free(list->names);
	free(list->after);
	free(list->value);
	buffer_free(&list->items);
	free(list);
}

static void fail(struct list *list)
{
	http_reply_error(list->request, 503, "unavailable", "Redis is away");
	list_free(list);
}

static void reply_page(struct list *list)
{
	struct buffer body = {0};
	struct json_writer writer = json_writer_init(&body);
	char cursor[2 * NAME_MAX_LEN + 1];

	json_begin_object(&writer);
	json_key(&writer, list->kind->array);
	json_begin_array(&writer);
	if (list->items.len > 0)
		json_raw(&writer, buffer_str(&list->items), list->items.len);
	json_end_array(&writer);
	if (list->at < list->count)
		sodium_bin2hex(cursor, sizeof(cursor),
			       (const unsigned char *)list->names[list->at - 1],
			       strlen(list->names[list->at - 1]));
	json_field_str(&writer, "nextCursor", list->at < list->count ? cursor : NULL);
	live_write_as_of(list->service, list->service->pbxs[0], &writer);
	json_end_object(&writer);
	http_reply_json(list->request, 200, &body);
	list_free(list);
}

static void next(struct list *list);

static void add_item(struct list *list, const redisReply *reply)
{
	struct json_writer writer = json_writer_init(&list->items);
	int64_t now = clock_wall_ms();

	if (reply->elements == 0 || (list->value != NULL && !list->kind->fits(reply, list->value)))
		return;
	if (list->items.len > 0)
		buffer_append_char(&list->items, ',');
	json_begin_object(&writer);
	list->kind->write(reply, live_day_at(now), now, &writer);
	json_end_object(&writer);
	list->shown++;
}

static void on_item(const redisReply *reply, void *context)
{
	struct list *list = context;

	if (reply == NULL || reply->type != REDIS_REPLY_ARRAY)
		list->failed = true;
	else
		add_item(list, reply);
	if (--list->waiting > 0)
		return;
	if (list->failed)
		fail(list);
	else
		next(list);
}

/* As many as the page still lacks: with a filter it may take several rounds. */
static void next(struct list *list)
{
	size_t wanted = list->limit - list->shown;

	if (wanted == 0 || list->at == list->count) {
		reply_page(list);
		return;
	}
	list->waiting = 1; /* until all are asked for */
	for (; wanted > 0 && list->at < list->count; wanted--) {
		if (list->kind->ask(list->service->link, list->names[list->at], on_item, list) < 0)
			list->failed = true;
		else
			list->waiting++;
		list->at++;
	}
	if (--list->waiting == 0)
		fail(list);
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void take_names(struct list *list, const redisReply *reply)
{
	list->names = mem_grow(list->names, (list->count + reply->elements + 1) * sizeof(char *));
	for (size_t i = 0; i < reply->elements && list->count < NAMES_MAX; i++)
		if (reply->element[i]->len <= NAME_MAX_LEN &&
		    (list->kind->sees == NULL ||
		     list->kind->sees(http_principal(list->request), reply->element[i]->str)))
			list->names[list->count++] = mem_strdup(reply->element[i]->str);
}

static void on_names(const redisReply *reply, void *context)
{
	struct list *list = context;

	if (reply == NULL || reply->type != REDIS_REPLY_ARRAY)
		list->failed = true;
	else
		take_names(list, reply);
	if (--list->waiting > 0)
		return;
	if (list->failed) {
		fail(list);
		return;
	}
	qsort(list->names, list->count, sizeof(char *), by_name);
	while (list->after != NULL && list->at < list->count &&
	       strcmp(list->names[list->at], list->after) <= 0)
		list->at++;
	next(list);
}

/* The last name that was shown, in hex: names hold any character. */
static bool read_cursor(const char *cursor, char name_r[NAME_MAX_LEN + 1])
{
	size_t len;

	if (sodium_hex2bin((unsigned char *)name_r, NAME_MAX_LEN, cursor, strlen(cursor), NULL,
			   &len, NULL) != 0)
		return false;
	name_r[len] = '\0';
	return true;
}

void live_list_reply(struct service *service, struct http_request *request,
		     const struct live_kind *kind)
{
	char after[NAME_MAX_LEN + 1];
	struct http_page page;
	struct list *list;

	if (!http_page(request, &page))
		return;
	if (page.cursor != NULL && !read_cursor(page.cursor, after)) {
		http_reply_error(request, 400, "invalid_cursor", "the cursor is not one of ours");
		return;
	}
	list = mem_new(struct list);
	list->service = service;
	list->request = request;
	list->kind = kind;
	list->limit = page.limit;
	list->after = page.cursor != NULL ? mem_strdup(after) : NULL;
	list->value = kind->fits != NULL ? mem_strdup(http_query(request, "state")) : NULL;
	list->waiting = 1; /* until all are asked for */
	for (size_t i = 0; i < service->pbx_count; i++)
		if (kind->ask_names(service->link, service->pbxs[i], on_names, list) < 0)
			list->failed = true;
		else
			list->waiting++;
	if (--list->waiting == 0)
		fail(list);
}
