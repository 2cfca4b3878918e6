/* Looking at transfers: one, lists, and what this service can do. */
#include "body.h"
#include "json.h"
#include "mem.h"
#include "replies.h"
#include "routes.h"
#include "service.h"
#include "store.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- one ---- */

static void on_transfer(const redisReply *reply, void *context)
{
	struct http_request *request = context;
	struct transfer transfer;

	if (reply == NULL || reply->type == REDIS_REPLY_ERROR)
		reply_unavailable(request);
	else if (!transfer_read(&transfer, reply))
		reply_result(request, ENGINE_NOT_FOUND, NULL, "");
	else if (!may_touch(http_principal(request), &transfer))
		reply_result(request, ENGINE_FORBIDDEN, NULL, "");
	else
		reply_transfer(request, 200, &transfer);
}

void handle_state(struct http_request *request, void *context)
{
	struct service *service = context;
	const char *id = http_param(request, "transferId");

	if (!body_is_call(id))
		reply_result(request, ENGINE_NOT_FOUND, NULL, "");
	else if (store_get(service->link, id, on_transfer, request) < 0)
		reply_unavailable(request);
}

/* ---- lists ---- */

#define CHUNK    200  /* ids asked for at once */
#define SEEN_MAX 1000 /* ids looked at for one page */

struct place { /* after this transfer, from the newest to the oldest */
	int64_t at;
	char id[TRANSFER_ID_MAX];
};

struct list {
	struct service *service;
	struct http_request *request;
	char extension[TRANSFER_PARTY], state[16], call_id[TRANSFER_CALL_MAX]; /* "": any */
	size_t limit, found, seen;
	struct place place; /* of the last one that was looked at */
	struct place ids[CHUNK];
	size_t id_count, replies;
	bool full, failed;  /* the chunk was */
	struct buffer text; /* JSON objects parted by commas */
};

static void next_chunk(struct list *list);

static void list_end(struct list *list)
{
	buffer_free(&list->text);
	free(list);
}

static void list_reply(struct list *list, bool at_end)
{
	struct buffer body = {0};
	struct json_writer json = json_writer_init(&body);
	char cursor[64];

	if (list->failed) {
		reply_unavailable(list->request);
		list_end(list);
		return;
	}
	json_begin_object(&json);
	json_key(&json, "transfers");
	json_begin_array(&json);
	json_raw(&json, buffer_str(&list->text), list->text.len);
	json_end_array(&json);
	json_key(&json, "nextCursor");
	snprintf(cursor, sizeof(cursor), "%" PRId64 "_%s", list->place.at, list->place.id);
	json_str(&json, at_end ? NULL : cursor);
	json_end_object(&json);
	http_reply_json(list->request, 200, &body);
	list_end(list);
}

static bool matches(const struct list *list, const struct transfer *transfer)
{
	bool over = state_is_over(transfer->state);

	if (list->call_id[0] != '\0' && strcmp(list->call_id, transfer->call_id) != 0)
		return false;
	if (strcmp(list->state, "live") == 0)
		return !over;
	if (strcmp(list->state, "over") == 0)
		return over;
	return list->state[0] == '\0' || strcmp(list->state, state_name(transfer->state)) == 0;
}

static void take(struct list *list, const redisReply *reply, const struct place *place)
{
	struct json_writer json = json_writer_init(&list->text);
	struct transfer transfer;

	if (list->found == list->limit)
		return;
	list->place = *place;
	if (!transfer_read(&transfer, reply) || !matches(list, &transfer) ||
	    !may_touch(http_principal(list->request), &transfer))
		return;
	if (list->found++ > 0)
		buffer_append_char(&list->text, ',');
	transfer_write(&transfer, &json);
}

static void on_one(const redisReply *reply, void *context)
{
	struct list *list = context;
	size_t number = list->replies++;

	if (reply == NULL || reply->type != REDIS_REPLY_ARRAY)
		list->failed = true;
	else
		take(list, reply, &list->ids[number]);
	if (list->replies < list->id_count)
		return;
	if (list->failed || list->found == list->limit || list->seen >= SEEN_MAX)
		list_reply(list, false);
	else if (!list->full)
		list_reply(list, true);
	else
		next_chunk(list);
}

/* Of the same ms, ids come in reverse order: those up to the place were shown before. */
static bool is_past(const struct list *list, int64_t at, const char *id)
{
	return list->place.at == 0 || at < list->place.at || strcmp(id, list->place.id) < 0;
}

static void take_ids(struct list *list, const redisReply *reply)
{
	list->id_count = 0;
	for (size_t i = 0; i + 1 < reply->elements && list->id_count < CHUNK; i += 2) {
		int64_t at = strtoll(reply->element[i + 1]->str, NULL, 10);
		struct place *place = &list->ids[list->id_count];

		if (!is_past(list, at, reply->element[i]->str))
			continue;
		place->at = at;
		snprintf(place->id, sizeof(place->id), "%s", reply->element[i]->str);
		list->id_count++;
	}
	list->seen += list->id_count;
	list->full = reply->elements / 2 >= CHUNK && list->id_count > 0;
	list->replies = 0;
}

static void on_ids(const redisReply *reply, void *context)
{
	struct list *list = context;
	size_t count;

	list->failed = reply == NULL || reply->type != REDIS_REPLY_ARRAY;
	if (!list->failed)
		take_ids(list, reply);
	if (list->failed || list->id_count == 0) {
		list_reply(list, true);
		return;
	}
	count = list->id_count;
	for (size_t i = 0; i < count; i++)
		if (store_get(list->service->link, list->ids[i].id, on_one, list) < 0) {
			/* The link went down: what was taken is answered with NULL. */
			list->failed = true;
			list->id_count = i;
			break;
		}
	if (list->id_count == 0)
		list_reply(list, true);
}

static void next_chunk(struct list *list)
{
	int64_t until = list->place.at != 0 ? list->place.at : INT64_MAX / 1000;

	if (store_recent(list->service->link, list->extension[0] != '\0' ? list->extension : NULL,
			 until, CHUNK, on_ids, list) < 0) {
		list->failed = true;
		list_reply(list, true);
	}
}

/* "<requestedAt>_<transferId>" */
static bool read_cursor(const char *cursor, struct place *place_r)
{
	char *end;

	if (cursor == NULL)
		return true;
	place_r->at = strtoll(cursor, &end, 10);
	if (end == cursor || *end != '_' || place_r->at <= 0 || !body_is_call(end + 1))
		return false;
	snprintf(place_r->id, sizeof(place_r->id), "%s", end + 1);
	return true;
}

static bool is_filter(const char *state)
{
	enum transfer_state known;

	return strcmp(state, "live") == 0 || strcmp(state, "over") == 0 ||
	       state_parse(state, &known);
}

void handle_list(struct http_request *request, void *context)
{
	const char *state = http_query(request, "state"), *call = http_query(request, "callId");
	const char *extension = whose_transfers(request);
	struct place place = {0};
	struct http_page page;
	struct list *list;

	if (extension == NULL || !http_page(request, &page))
		return;
	if (state != NULL && !is_filter(state)) {
		http_reply_error(request, 400, "invalid_state", "No such state of a transfer");
		return;
	}
	if (!read_cursor(page.cursor, &place)) {
		http_reply_error(request, 400, "invalid_cursor", "The cursor is not one of ours");
		return;
	}
	list = mem_new(struct list);
	list->service = context;
	list->request = request;
	list->limit = page.limit;
	list->place = place;
	snprintf(list->state, sizeof(list->state), "%s", state != NULL ? state : "");
	snprintf(list->call_id, sizeof(list->call_id), "%s", call != NULL ? call : "");
	snprintf(list->extension, sizeof(list->extension), "%s", extension);
	next_chunk(list);
}

/* ---- the service itself ---- */

static void write_words(struct json_writer *json, const char *key, const char *list)
{
	json_key(json, key);
	json_begin_array(json);
	for (const char *at = list; *at != '\0'; at += strspn(at, " ")) {
		size_t len = strcspn(at, " ");

		if (len > 0)
			json_strn(json, at, len);
		at += len;
	}
	json_end_array(json);
}

void handle_capabilities(struct http_request *request, void *context)
{
	const struct transfer_settings *set = &settings.transfer;
	struct buffer body = {0};
	struct json_writer json = json_writer_init(&body);

	(void)context;
	json_begin_object(&json);
	write_words(&json, "kinds", "blind external queue dialplan managed");
	write_words(&json, "commands", "complete cancel toggle conference");
	write_words(&json, "contexts", set->contexts);
	write_words(&json, "externalAllow", set->external_allow);
	json_field_str(&json, "externalCallerId", set->external_caller_id);
	json_field_bool(&json, "fallBack", set->fall_back);
	json_field_int(&json, "ringS", set->ring_s);
	json_field_int(&json, "consultS", set->consult_s);
	json_field_int(&json, "queueS", set->queue_s);
	json_end_object(&json);
	http_reply_json(request, 200, &body);
}

struct health_job {
	struct service *service;
	struct http_request *request;
	int64_t under_way;
};

static void on_under_way(const redisReply *reply, void *context)
{
	struct health_job *job = context;

	job->under_way = reply != NULL && reply->type == REDIS_REPLY_INTEGER ? reply->integer : -1;
}

static void on_unsaved(const redisReply *reply, void *context)
{
	struct health_job *job = context;
	struct buffer body = {0};
	struct json_writer json = json_writer_init(&body);

	if (reply == NULL || reply->type != REDIS_REPLY_INTEGER || job->under_way < 0) {
		reply_unavailable(job->request);
	} else {
		json_begin_object(&json);
		json_field_int(&json, "underWay", job->under_way);
		json_field_int(&json, "unsaved", reply->integer);
		json_field_bool(&json, "reading", follower_is_reading(job->service->follower));
		json_field_bool(&json, "mariadb", health_item_ok(job->service->sql_health));
		json_end_object(&json);
		http_reply_json(job->request, 200, &body);
	}
	free(job);
}

void handle_health(struct http_request *request, void *context)
{
	struct service *service = context;
	struct health_job *job = mem_new(struct health_job);

	*job = (struct health_job){service, request, -1};
	if (store_counts(service->link, on_under_way, on_unsaved, job) < 0) {
		reply_unavailable(request);
		free(job);
	}
}
