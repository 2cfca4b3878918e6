#include "outbox.h"

#include "clock.h"
#include "crm_event.h"
#include "http_client.h"
#include "json.h"
#include "log.h"
#include "loop.h"
#include "mem.h"
#include "record.h"
#include "settings.h"
#include "store.h"
#include "whatsapp.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LOOK_MS    250
#define TIMEOUT_MS 10000
/* So long nobody else offers it, and one whose fate is unknown waits. */
#define HELD_MS      60000
#define RETRY_MIN_MS 1000
#define RETRY_MAX_MS 300000
#define ANSWER_MAX   65536
#define AT_ONCE      8

/* One message from being due to what became of the attempt. */
struct post {
	struct outbox *outbox;
	cJSON *message; /* owned; NULL: there is nothing to send */
	char id[161];
	char *body; /* owned */
	unsigned status;
	bool is_unknown;   /* it may have arrived */
	char *provider_id; /* owned */
	char *error;       /* owned: what the provider says */
	int64_t next_ms;   /* when to offer it again; 0: never */
	cJSON *event;      /* owned */
	enum db_result result;
};

struct outbox {
	struct service *service;
	struct http_client *http;
	struct timer *timer;
	struct post *posts[AT_ONCE]; /* that wait for the provider */
	cJSON *left;                 /* owned: ids that a look for lost ones found */
	unsigned under_way;
	bool is_on, is_asking, is_closed;
	bool is_complete; /* Redis has them all */
};

static void release(struct outbox *outbox)
{
	if (outbox->is_closed && outbox->under_way == 0 && !outbox->is_asking)
		free(outbox);
}

static void end(struct post *post)
{
	struct outbox *outbox = post->outbox;

	cJSON_Delete(post->message);
	cJSON_Delete(post->event);
	free(post->body);
	free(post->provider_id);
	free(post->error);
	free(post);
	outbox->under_way--;
	release(outbox);
}

/* ---- what became of it ---- */

static void plan(struct post *post, cJSON *after)
{
	int64_t tries = json_get_int(post->message, "tries", 0) + 1;
	bool again = post->status == 0 || post->status == 408 || post->status == 429 ||
		     post->status >= 500;

	cJSON_DeleteItemFromObjectCaseSensitive(after, "tries");
	cJSON_AddNumberToObject(after, "tries", (double)tries);
	if (post->provider_id != NULL || (again && tries < settings.crm.whatsapp_tries)) {
		if (post->provider_id == NULL)
			post->next_ms = clock_wall_ms() +
					(post->is_unknown ? HELD_MS
							  : backoff_ms((unsigned)tries,
								       RETRY_MIN_MS, RETRY_MAX_MS));
		return;
	}
	cJSON_DeleteItemFromObjectCaseSensitive(after, "status");
	cJSON_AddStringToObject(after, "status", "failed");
	cJSON_DeleteItemFromObjectCaseSensitive(after, "error");
	cJSON_AddStringToObject(after, "error",
				post->error != NULL ? post->error : "no answer of the provider");
}

/* A status that came by the webhook meanwhile counts for more. */
static enum db_result write_once(struct db *db, struct post *post)
{
	const struct kind *kind = &kinds[KIND_MESSAGE];
	cJSON *before = NULL, *after;
	enum db_result result = record_get(db, kind, post->id, &before);
	const char *status = json_get_str(before, "status");

	if (result != DB_OK || status == NULL || strcmp(status, "queued") != 0) {
		cJSON_Delete(before);
		post->next_ms = 0;
		return result == DB_NONE ? DB_OK : result;
	}
	after = cJSON_Duplicate(before, true);
	plan(post, after);
	if (post->provider_id != NULL) {
		cJSON_DeleteItemFromObjectCaseSensitive(after, "status");
		cJSON_AddStringToObject(after, "status", "sent");
		cJSON_AddStringToObject(after, "providerId", post->provider_id);
	}
	result = record_change(db, kind, before, after, &actor_system,
			       post->next_ms == 0 ? json_get_str(after, "status") : "delayed");
	if (result == DB_OK && post->next_ms == 0)
		post->event = whatsapp_status_event(after);
	cJSON_Delete(before);
	cJSON_Delete(after);
	return result;
}

static void write_work(struct db *db, void *_post)
{
	struct post *post = _post;

	post->result = DB_CONFLICT;
	for (int i = 0; i < 5 && post->result == DB_CONFLICT; i++)
		post->result = write_once(db, post);
}

static void tell(struct post *post)
{
	struct service *service = post->outbox->service;
	cJSON *events = cJSON_CreateArray();

	if (post->provider_id != NULL)
		service->metrics.crm_messages_sent_total++;
	else if (post->event != NULL)
		service->metrics.crm_messages_failed_total++;
	if (post->event != NULL) {
		cJSON_AddItemToArray(events, post->event);
		post->event = NULL;
		store_commit(service->link, events, NULL, NULL, NULL, NULL);
	}
	cJSON_Delete(events);
	store_put_due(service->link, STORE_OUTBOX, post->id, post->next_ms, NULL, NULL);
}

static void on_written(void *_post)
{
	struct post *post = _post;

	if (!post->outbox->is_closed && post->result == DB_OK)
		tell(post); /* else it is due again when its time is over */
	end(post);
}

/* ---- the provider's answer ---- */

static void read_answer(struct post *post, const char *body, size_t len)
{
	const char *error;
	cJSON *answer = body != NULL ? json_parse(body, len, &error) : NULL;
	const cJSON *list = cJSON_GetObjectItemCaseSensitive(answer, "messages");

	if (post->status >= 200 && post->status < 300 && list != NULL)
		post->provider_id = mem_strdup(json_get_str(list->child, "id"));
	else
		post->error = mem_strdup(
			json_get_str(cJSON_GetObjectItemCaseSensitive(answer, "error"), "message"));
	cJSON_Delete(answer);
}

static void set_waiting(struct post *post, bool waits)
{
	struct post **posts = post->outbox->posts, *from = waits ? NULL : post;
	size_t i = 0;

	while (i < AT_ONCE && posts[i] != from)
		i++;
	if (i < AT_ONCE)
		posts[i] = waits ? post : NULL;
}

static void on_answer(unsigned status, const char *error, const char *body, size_t len, void *_post)
{
	struct post *post = _post;

	set_waiting(post, false);
	post->status = status;
	if (status == 0) {
		log_warn("no answer of the provider", log_str("message", post->id),
			 log_str("reason", error));
		post->is_unknown = error != NULL && strstr(error, "onnect") == NULL;
	}
	read_answer(post, body, len);
	if (mongo_run(post->outbox->service->mongo, MONGO_FAST, write_work, on_written, post) < 0)
		end(post);
}

/* ---- sending ---- */

static void send_it(struct post *post)
{
	const struct crm_settings *set = &settings.crm;
	char *url = mem_printf("%s/%s/messages", set->whatsapp_url, set->whatsapp_number);
	char *bearer = mem_printf("Authorization: Bearer %s", set->whatsapp_token);
	const char *headers[] = {"Content-Type: application/json", bearer, NULL};
	struct http_client_request request = {
		.method = "POST",
		.url = url,
		.headers = headers,
		.body = post->body,
		.len = strlen(post->body),
		.timeout_ms = TIMEOUT_MS,
		.answer_max = ANSWER_MAX,
	};

	set_waiting(post, true);
	if (http_client_send(post->outbox->http, &request, on_answer, post) == NULL)
		on_answer(400, NULL, NULL, 0, post);
	free(bearer);
	free(url);
}

static void read_work(struct db *db, void *_post)
{
	struct post *post = _post;
	const char *status;

	post->result = record_get(db, &kinds[KIND_MESSAGE], post->id, &post->message);
	status = json_get_str(post->message, "status");
	if (post->result == DB_OK && status != NULL && strcmp(status, "queued") == 0)
		post->body = whatsapp_body(post->message);
}

static void on_read(void *_post)
{
	struct post *post = _post;

	if (post->outbox->is_closed) {
		end(post);
	} else if (post->body != NULL) {
		send_it(post);
	} else {
		if (post->result == DB_OK || post->result == DB_NONE) /* nothing to be done */
			store_put_due(post->outbox->service->link, STORE_OUTBOX, post->id, 0, NULL,
				      NULL);
		end(post);
	}
}

static void begin(struct outbox *outbox, const char *id)
{
	struct post *post = mem_new(struct post);

	post->outbox = outbox;
	snprintf(post->id, sizeof(post->id), "%s", id);
	outbox->under_way++;
	store_put_due(outbox->service->link, STORE_OUTBOX, id, clock_wall_ms() + HELD_MS, NULL,
		      NULL);
	if (mongo_run(outbox->service->mongo, MONGO_FAST, read_work, on_read, post) < 0)
		end(post);
}

/* ---- the clock ---- */

static void on_due(const cJSON *ids, void *_outbox)
{
	struct outbox *outbox = _outbox;
	const cJSON *id;

	outbox->is_asking = false;
	if (outbox->is_closed) {
		release(outbox);
		return;
	}
	cJSON_ArrayForEach(id, ids)
	{
		begin(outbox, id->valuestring);
	}
}

/* Messages that were stored while Redis could not be told. */
static void gather_work(struct db *db, void *_outbox)
{
	struct outbox *outbox = _outbox;
	cJSON *filter = cJSON_CreateObject();
	struct db_page page = {NULL, 0};

	cJSON_AddStringToObject(filter, "status", "queued");
	if (db_find(db, kinds[KIND_MESSAGE].collection, filter, &page, &outbox->left) != DB_OK)
		outbox->left = NULL;
	cJSON_Delete(filter);
}

static void on_gathered(void *_outbox)
{
	struct outbox *outbox = _outbox;
	const cJSON *message;

	outbox->is_asking = false;
	outbox->is_complete = outbox->left != NULL;
	cJSON_ArrayForEach(message, outbox->left)
	{
		if (!outbox->is_closed)
			store_add_due(outbox->service->link, STORE_OUTBOX,
				      json_get_str(message, "_id"), clock_wall_ms());
	}
	cJSON_Delete(outbox->left);
	outbox->left = NULL;
	release(outbox);
}

static void look(void *_outbox)
{
	struct outbox *outbox = _outbox;
	struct service *service = outbox->service;

	if (!outbox->is_on || outbox->is_asking || outbox->under_way >= AT_ONCE ||
	    !mongo_is_up(service->mongo))
		return;
	outbox->is_asking = true;
	if (!outbox->is_complete) {
		if (mongo_run(service->mongo, MONGO_SLOW, gather_work, on_gathered, outbox) < 0)
			outbox->is_asking = false;
		return;
	}
	store_get_due(service->link, STORE_OUTBOX, clock_wall_ms(),
		      (int)(AT_ONCE - outbox->under_way), on_due, outbox);
}

struct outbox *outbox_open(struct service *service)
{
	struct outbox *outbox = mem_new(struct outbox);

	outbox->service = service;
	outbox->http = http_client_new(service->daemon->loop);
	outbox->timer = timer_start(service->daemon->loop, LOOK_MS, LOOK_MS, look, outbox);
	return outbox;
}

void outbox_start(struct outbox *outbox)
{
	outbox->is_on = settings.crm.whatsapp_url[0] != '\0';
	outbox->is_complete = false;
}

void outbox_stop(struct outbox *outbox)
{
	outbox->is_on = false;
}

void outbox_add(struct outbox *outbox, const char *message_id)
{
	store_put_due(outbox->service->link, STORE_OUTBOX, message_id, clock_wall_ms(), NULL, NULL);
}

void outbox_close(struct outbox **_outbox)
{
	struct outbox *outbox = *_outbox;

	*_outbox = NULL;
	if (outbox == NULL)
		return;
	timer_stop(&outbox->timer);
	outbox->is_closed = true;
	outbox->is_on = false;
	http_client_free(&outbox->http);
	outbox->under_way++; /* the struct stays until the end of this */
	for (size_t i = 0; i < AT_ONCE; i++)
		if (outbox->posts[i] != NULL)
			end(outbox->posts[i]);
	outbox->under_way--;
	release(outbox);
}
