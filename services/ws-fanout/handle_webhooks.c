/* /api/webhooks: who gets events over HTTP. */
#include "clock.h"
#include "http_audit.h"
#include "hub.h"
#include "ids.h"
#include "log.h"
#include "mem.h"
#include "routes.h"
#include "store.h"
#include "store_webhook.h"
#include "webhooks.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A request between two answers of Redis. */
struct pending {
	struct http_request *request;
	struct hub *hub;
	struct webhook webhook; /* to be shown when it is done */
	unsigned status;        /* of the answer; 204: nothing is shown */
	bool secret;
};

static void reply_away(struct http_request *request)
{
	http_reply_error(request, 503, "unavailable", "Redis is away");
}

static struct pending *pending_new(struct http_request *request, struct hub *hub, unsigned status)
{
	struct pending *pending = mem_new(struct pending);

	pending->request = request;
	pending->hub = hub;
	pending->status = status;
	return pending;
}

static void reply_webhook(const struct pending *pending)
{
	struct buffer out = {0};
	struct json_writer writer = json_writer_init(&out);

	webhook_write(&pending->webhook, &writer, pending->secret);
	http_reply_json(pending->request, pending->status, &out);
}

static const char *action_of(unsigned status)
{
	switch (status) {
	case 201:
		return "webhook:created";
	case 202:
		return "webhook:replayed";
	case 204:
		return "webhook:removed";
	default:
		return "webhook:changed";
	}
}

static void on_done(bool done, void *context)
{
	struct pending *pending = context;

	if (done)
		(void)http_audit(pending->hub->link, pending->request, action_of(pending->status),
				 pending->webhook.id, pending->webhook.url);
	if (!done)
		reply_away(pending->request);
	else if (pending->status == 204 || pending->status == 202)
		http_reply_json(pending->request, pending->status, NULL);
	else
		reply_webhook(pending);
	if (pending->hub->webhooks != NULL)
		webhooks_reload(pending->hub->webhooks);
	webhook_clear(&pending->webhook);
	free(pending);
}

/* ---- reading ---- */

static int compare_ids(const void *a, const void *b)
{
	return strcmp(((const struct webhook *)a)->id, ((const struct webhook *)b)->id);
}

static void on_list(struct webhook *list, size_t count, void *context)
{
	struct http_request *request = context;
	struct buffer out = {0};
	struct json_writer writer = json_writer_init(&out);

	if (list == NULL) {
		reply_away(request);
		return;
	}
	qsort(list, count, sizeof(*list), compare_ids);
	json_begin_object(&writer);
	json_key(&writer, "webhooks");
	json_begin_array(&writer);
	for (size_t i = 0; i < count; i++)
		webhook_write(&list[i], &writer, false);
	json_end_array(&writer);
	json_end_object(&writer);
	http_reply_json(request, 200, &out);
}

void handle_webhooks_list(struct http_request *request, void *context)
{
	struct hub *hub = context;

	store_webhooks(hub->link, on_list, request);
}

/* ---- one that is there ---- */

typedef void found_fn(struct pending *pending);

struct search {
	struct pending *pending;
	found_fn *fn;
};

static void on_found(struct webhook *webhook, size_t count, void *context)
{
	struct search *search = context;
	struct pending *pending = search->pending;
	found_fn *fn = search->fn;

	free(search);
	if (webhook != NULL && count == 1) {
		pending->webhook = *webhook;
		webhook->filter = NULL;
		fn(pending);
		return;
	}
	if (webhook == NULL)
		reply_away(pending->request);
	else
		http_reply_error(pending->request, 404, "not_found", "there is no such webhook");
	free(pending);
}

static void find(struct http_request *request, struct hub *hub, unsigned status, found_fn *fn)
{
	const char *id = http_param(request, "webhookId");
	struct search *search;

	if (!id_is_safe(id, ID_RANDOM_LEN)) {
		http_reply_error(request, 404, "not_found", "there is no such webhook");
		return;
	}
	search = mem_new(struct search);
	*search = (struct search){pending_new(request, hub, status), fn};
	store_webhook(hub->link, id, on_found, search);
}

static void show(struct pending *pending)
{
	reply_webhook(pending);
	webhook_clear(&pending->webhook);
	free(pending);
}

void handle_webhook_get(struct http_request *request, void *context)
{
	find(request, context, 200, show);
}

static void refuse(struct pending *pending, const char *error)
{
	http_reply_error(pending->request, 400, "bad_request", "%s", error);
	webhook_clear(&pending->webhook);
	free(pending);
}

static void change(struct pending *pending)
{
	const char *error;

	if (webhook_change(&pending->webhook, http_json(pending->request), &error) < 0)
		refuse(pending, error);
	else
		store_webhook_save(pending->hub->link, &pending->webhook, false, on_done, pending);
}

void handle_webhook_change(struct http_request *request, void *context)
{
	find(request, context, 200, change);
}

static void take_out(struct pending *pending)
{
	log_info("webhook removed", log_str("webhook", pending->webhook.id),
		 log_str("by", http_principal(pending->request)->username));
	store_webhook_remove(pending->hub->link, pending->webhook.id, on_done, pending);
}

void handle_webhook_remove(struct http_request *request, void *context)
{
	find(request, context, 204, take_out);
}

/* {"since": [cursors]} or {"deadLetters": true} */
static void go_back(struct pending *pending)
{
	const cJSON *body = http_json(pending->request);
	const cJSON *since = cJSON_GetObjectItemCaseSensitive(body, "since"), *item;
	const char *cursors[TOPIC_COUNT], *error = "since must be cursors, one for a topic";
	bool dead = json_get_bool(body, "deadLetters", false);
	struct positions to = {0};
	size_t count = 0;

	cJSON_ArrayForEach(item, since)
	{
		if (count < TOPIC_COUNT && cJSON_IsString(item))
			cursors[count++] = item->valuestring;
	}
	if ((int)count != cJSON_GetArraySize(since) || (count == 0 && !dead) ||
	    positions_read(cursors, count, &to, &error) < 0)
		refuse(pending, error);
	else
		store_webhook_replay(pending->hub->link, pending->webhook.id, &to, dead, on_done,
				     pending);
}

void handle_webhook_replay(struct http_request *request, void *context)
{
	find(request, context, 202, go_back);
}

/* ---- a new one ---- */

void handle_webhook_add(struct http_request *request, void *context)
{
	struct hub *hub = context;
	struct pending *pending = pending_new(request, hub, 201);
	struct webhook *webhook = &pending->webhook;
	const char *error;

	if (!hub_is_started(hub)) {
		reply_away(request);
		free(pending);
		return;
	}
	id_random(webhook->id);
	id_random(webhook->secret);
	webhook->enabled = true;
	webhook->created_at_ms = clock_wall_ms();
	snprintf(webhook->created_by, sizeof(webhook->created_by), "%s",
		 http_principal(request)->username);
	webhook->at.topics = TOPIC_ALL;
	for (enum topic topic = 0; topic < TOPIC_COUNT; topic++)
		webhook->at.at[topic] = backlog_tip(hub->backlogs[topic]);
	if (webhook_change(webhook, http_json(request), &error) < 0) {
		refuse(pending, error);
		return;
	}
	pending->secret = true;
	log_info("webhook added", log_str("webhook", webhook->id),
		 log_str("by", webhook->created_by));
	store_webhook_save(hub->link, webhook, true, on_done, pending);
}

/* ---- dead letters ---- */

struct letters {
	struct http_request *request;
	size_t limit;
};

static void write_letters(struct json_writer *writer, const struct store_letter *letters,
			  size_t count)
{
	const char *error;

	for (size_t i = 0; i < count; i++) {
		cJSON *delivery = json_parse(letters[i].body, letters[i].len, &error);

		json_begin_object(writer);
		json_field_str(writer, "entryId", letters[i].entry);
		json_field_str(writer, "error", letters[i].error);
		json_key(writer, "delivery");
		if (delivery != NULL)
			json_raw(writer, letters[i].body, letters[i].len);
		else
			json_null(writer);
		json_end_object(writer);
		cJSON_Delete(delivery);
	}
}

static void on_letters(const struct store_letter *list, size_t count, void *context)
{
	struct letters *letters = context;
	struct buffer out = {0};
	struct json_writer writer = json_writer_init(&out);

	if (list == NULL) {
		reply_away(letters->request);
		free(letters);
		return;
	}
	json_begin_object(&writer);
	json_key(&writer, "deadLetters");
	json_begin_array(&writer);
	write_letters(&writer, list, count);
	json_end_array(&writer);
	json_field_str(&writer, "nextCursor",
		       count > 0 && count == letters->limit ? list[count - 1].entry : NULL);
	json_end_object(&writer);
	http_reply_json(letters->request, 200, &out);
	free(letters);
}

void handle_webhook_letters(struct http_request *request, void *context)
{
	struct hub *hub = context;
	struct http_page page;
	struct letters *letters;
	struct entry_id after;

	if (!http_page(request, &page))
		return;
	if (page.cursor != NULL && !entry_id_parse(page.cursor, &after)) {
		http_reply_error(request, 400, "bad_cursor", "cursor is not one of ours");
		return;
	}
	if (!id_is_safe(http_param(request, "webhookId"), ID_RANDOM_LEN)) {
		http_reply_error(request, 404, "not_found", "there is no such webhook");
		return;
	}
	letters = mem_new(struct letters);
	*letters = (struct letters){request, page.limit};
	store_webhook_letters(hub->link, http_param(request, "webhookId"),
			      page.cursor != NULL ? page.cursor : "0-0", page.limit, on_letters,
			      letters);
}
