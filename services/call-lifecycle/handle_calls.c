/* Reading calls: one, and lists. */
#include "call_view.h"
#include "ids.h"
#include "json.h"
#include "log.h"
#include "mem.h"
#include "reach.h"
#include "routes.h"
#include "service.h"
#include "store.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CALL_ID_MAX 150

/* What the own extension is part of; for others those of their teams, or all. */
static bool may_touch(const struct principal *who, const struct call_view *view)
{
	return reach_sees_one_of(who, PERMISSION_ALL_CALLS, call_view_text(view, "extensions"));
}

static void on_call(const redisReply *reply, void *context)
{
	struct http_request *request = context;
	struct call_view *view;

	if (reply == NULL || reply->type == REDIS_REPLY_ERROR) {
		http_reply_error(request, 503, "unavailable", "Redis is away");
		return;
	}
	view = call_view_new(reply);
	if (view == NULL) {
		http_reply_error(request, 404, "call_not_found",
				 "no such call, or it ended long ago");
		return;
	}
	http_set_user(request, view, call_view_free);
	if (!may_touch(http_principal(request), view))
		http_reply_error(
			request, 403, "not_your_call",
			"neither your extension nor one of your teams is part of this call");
	else
		http_proceed(request);
}

void guard_call(struct http_request *request, void *context)
{
	struct service *service = context;
	const char *id = http_param(request, "callId");

	if (!id_is_safe(id, CALL_ID_MAX))
		http_reply_error(request, 404, "call_not_found", "no call has such an id");
	else if (store_call_get(service->link, id, store_call_field_count, on_call, request) < 0)
		http_reply_error(request, 503, "unavailable", "Redis is away");
}

void handle_get(struct http_request *request, void *context)
{
	struct service *service = context;
	const struct call_view *view = call_view_of(request);
	struct buffer body = {0};
	char more[80];
	bool stale;
	int64_t as_of = pbx_watch_as_of(service->watch, call_view_text(view, "pbx"), &stale);

	if (strcmp(call_view_text(view, "state"), "ended") == 0)
		stale = false;
	snprintf(more, sizeof(more), "\"asOf\":%" PRId64 ",\"stale\":%s", as_of,
		 stale ? "true" : "false");
	call_view_write(view, more, &body);
	http_reply_json(request, 200, &body);
}

/* ---- lists ---- */

#define CHUNK    100  /* ids asked for at once */
#define SEEN_MAX 1000 /* ids looked at for one page */

struct place {              /* after this call, from the newest to the oldest */
	int64_t started_at; /* 0: from the newest */
	char id[CALL_ID_MAX + 1];
};

struct list {
	struct service *service;
	struct http_request *request;
	char extension[33], state[16]; /* "": any */
	size_t limit, found, seen;
	struct place place; /* of the last id that was looked at */
	struct place shown; /* of the last call on the page */
	struct place ids[CHUNK];
	size_t id_count, replies;
	bool more; /* the chunk was full */
	bool failed;
	struct buffer calls; /* JSON objects parted by commas */
};

static void next_chunk(struct list *list);

static void list_free(struct list *list)
{
	buffer_free(&list->calls);
	free(list);
}

static void list_fail(struct list *list)
{
	http_reply_error(list->request, 503, "unavailable", "Redis is away");
	list_free(list);
}

static void list_reply(struct list *list, bool at_end)
{
	struct buffer body = {0};
	struct json_writer writer = json_writer_init(&body);
	const struct place *place = list->found == list->limit ? &list->shown : &list->place;
	char cursor[200];

	json_begin_object(&writer);
	json_key(&writer, "calls");
	json_begin_array(&writer);
	if (list->calls.len > 0)
		json_raw(&writer, buffer_str(&list->calls), list->calls.len);
	json_end_array(&writer);
	json_key(&writer, "nextCursor");
	snprintf(cursor, sizeof(cursor), "%" PRId64 "_%s", place->started_at, place->id);
	if (at_end)
		json_null(&writer);
	else
		json_str(&writer, cursor);
	json_end_object(&writer);
	http_reply_json(list->request, 200, &body);
	list_free(list);
}

static bool matches(const struct list *list, const redisReply *call)
{
	const redisReply *state = call->element[2];

	if (call->element[0]->type != REDIS_REPLY_STRING || state->type != REDIS_REPLY_STRING)
		return false;
	if (strcmp(list->state, "live") == 0)
		return strcmp(state->str, "ended") != 0;
	return list->state[0] == '\0' || strcmp(list->state, state->str) == 0;
}

/* Those of one extension were chosen by it. */
static bool is_seen(const struct list *list, const redisReply *call)
{
	const redisReply *extensions = call->element[store_extensions_field];

	return list->extension[0] != '\0' ||
	       reach_sees_one_of(http_principal(list->request), PERMISSION_ALL_CALLS,
				 extensions->type == REDIS_REPLY_STRING ? extensions->str : "");
}

static void add_call(struct list *list, const redisReply *call, const struct place *place)
{
	if (list->found == list->limit || !matches(list, call) || !is_seen(list, call))
		return;
	if (list->calls.len > 0)
		buffer_append_char(&list->calls, ',');
	call_reply_write(call, store_summary_count, NULL, &list->calls);
	list->found++;
	list->shown = *place;
}

static void on_summary(const redisReply *reply, void *context)
{
	struct list *list = context;
	size_t number = list->replies++;

	if (reply == NULL || reply->type != REDIS_REPLY_ARRAY)
		list->failed = true;
	else
		add_call(list, reply, &list->ids[number]);
	if (list->replies < list->id_count)
		return;
	if (list->failed) {
		list_fail(list);
		return;
	}
	if (list->found == list->limit)
		list_reply(list, false);
	else if (!list->more)
		list_reply(list, true);
	else if (list->seen >= SEEN_MAX)
		list_reply(list, false);
	else
		next_chunk(list);
}

/* Of the same ms, ids come in reverse order: those up to the place were shown before. */
static bool is_past(const struct list *list, int64_t started_at, const char *id)
{
	return list->place.started_at == 0 || started_at < list->place.started_at ||
	       strcmp(id, list->place.id) < 0;
}

static void take_ids(struct list *list, const redisReply *reply)
{
	struct place last = list->place;

	list->id_count = 0;
	for (size_t i = 0; i + 1 < reply->elements && list->id_count < CHUNK; i += 2) {
		const char *id = reply->element[i]->str;
		int64_t started_at = strtoll(reply->element[i + 1]->str, NULL, 10);
		struct place *place = &list->ids[list->id_count];

		if (!is_past(list, started_at, id))
			continue;
		place->started_at = started_at;
		snprintf(place->id, sizeof(place->id), "%s", id);
		last = *place;
		list->id_count++;
	}
	list->seen += list->id_count;
	list->more = reply->elements / 2 >= CHUNK && list->id_count > 0;
	list->place = last;
}

static void on_ids(const redisReply *reply, void *context)
{
	struct list *list = context;
	size_t count;

	if (reply == NULL || reply->type != REDIS_REPLY_ARRAY) {
		list_fail(list);
		return;
	}
	take_ids(list, reply);
	if (list->id_count == 0) {
		list_reply(list, true);
		return;
	}
	list->replies = 0;
	count = list->id_count;
	for (size_t i = 0; i < count; i++)
		if (store_call_get(list->service->link, list->ids[i].id, store_summary_count,
				   on_summary, list) < 0) {
			/* The link went down: what was taken is answered with NULL, the rest
			   never. */
			list->failed = true;
			list->id_count = i;
			break;
		}
	if (list->id_count == 0)
		list_fail(list);
}

static void next_chunk(struct list *list)
{
	const char *extension = list->extension[0] != '\0' ? list->extension : NULL;

	if (store_call_ids(list->service->link, extension, list->place.started_at, CHUNK, on_ids,
			   list) < 0)
		list_fail(list);
}

/* "<startedAt>_<callId>" */
static bool read_cursor(const char *cursor, struct place *place_r)
{
	char *end;

	if (cursor == NULL)
		return true;
	place_r->started_at = strtoll(cursor, &end, 10);
	if (end == cursor || *end != '_' || place_r->started_at <= 0 ||
	    !id_is_safe(end + 1, CALL_ID_MAX))
		return false;
	snprintf(place_r->id, sizeof(place_r->id), "%s", end + 1);
	return true;
}

static bool is_state(const char *state)
{
	static const char *const states[] = {
		"live", "originating",  "dialing", "ringing", "established",
		"held", "transferring", "parked",  "queued",  "ended"};

	for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++)
		if (strcmp(states[i], state) == 0)
			return true;
	return false;
}

/* Whose calls: an agent's own; for others those of ?extension=, or all that they see. NULL: a reply
   was sent. */
static const char *whose(struct http_request *request)
{
	const struct principal *who = http_principal(request);
	const char *asked = http_query(request, "extension");

	if (asked != NULL && !id_is_number(asked)) {
		http_reply_error(request, 400, "invalid_extension", "extension must be a number");
		return NULL;
	}
	if (asked == NULL && principal_may(who, PERMISSION_ALL_CALLS))
		return "";
	if (asked == NULL)
		asked = who->extension;
	if (reach_sees(who, PERMISSION_ALL_CALLS, asked))
		return asked;
	http_reply_error(request, 403, "not_your_calls",
			 "you see the calls of your own extension and of your teams");
	return NULL;
}

void handle_list(struct http_request *request, void *context)
{
	const char *state = http_query(request, "state");
	const char *extension = whose(request);
	struct place place = {0};
	struct http_page page;
	struct list *list;

	if (extension == NULL || !http_page(request, &page))
		return;
	if (state != NULL && !is_state(state)) {
		http_reply_error(request, 400, "invalid_state", "no such state of a call");
		return;
	}
	if (!read_cursor(page.cursor, &place)) {
		http_reply_error(request, 400, "invalid_cursor", "the cursor is not one of ours");
		return;
	}
	list = mem_new(struct list);
	list->service = context;
	list->request = request;
	list->limit = page.limit;
	list->place = place;
	snprintf(list->state, sizeof(list->state), "%s", state != NULL ? state : "");
	snprintf(list->extension, sizeof(list->extension), "%s", extension);
	next_chunk(list);
}
