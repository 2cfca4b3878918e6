#include "courier.h"

#include "clock.h"
#include "log.h"
#include "loop.h"
#include "mem.h"
#include "store.h"
#include "store_webhook.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PAGE_MAX    100
#define SKIP_MAX    1000 /* events that are not for it, in one go */
#define TIMEOUT_MS  10000
#define BACKOFF_MS  1000
#define BACKOFF_MAX 60000
#define ANSWER_MAX  200

struct courier {
	uv_loop_t *loop;
	struct hub *hub;
	struct http_client *http;
	struct webhook webhook;
	struct http_exchange *exchange; /* a delivery is under way */
	struct timer *timer;            /* a try is to be made again; NULL: none */
	struct event *event;            /* in delivery; NULL: none, or a letter */
	char *letter;                   /* a dead letter in delivery; owned */
	char letter_entry[ENTRY_ID_TEXT_MAX], letters_after[ENTRY_ID_TEXT_MAX];
	unsigned attempts;
	enum topic turn;     /* whose topic's turn it is */
	enum topic asked;    /* of the page that is on its way */
	struct event **page; /* from Redis; owned, each with a reference */
	size_t page_at, page_count;
	bool asking, moved, freed;
	unsigned refs; /* one for the owner, one for each answer that is on its way */
};

static void unref(struct courier *courier)
{
	if (--courier->refs == 0)
		free(courier);
}

static void drop_page(struct courier *courier)
{
	while (courier->page_at < courier->page_count)
		event_unref(&courier->page[courier->page_at++]);
	free(courier->page);
	courier->page = NULL;
	courier->page_at = courier->page_count = 0;
}

/* ---- how a delivery ends ---- */

static void step(struct courier *courier);

static void done_with(struct courier *courier, const char *error)
{
	struct redis_link *link = courier->hub->link;

	if (courier->letter != NULL) {
		if (error == NULL)
			store_webhook_risen(link, courier->webhook.id, courier->letter_entry);
		free(courier->letter);
		courier->letter = NULL;
	} else {
		struct event *event = courier->event;

		if (error != NULL)
			store_webhook_dead(
				link, courier->webhook.id,
				event->frames[EVENT_JSON]->data + event->frames[EVENT_JSON]->header,
				event->frames[EVENT_JSON]->len - event->frames[EVENT_JSON]->header,
				error);
		courier->webhook.at.at[event->topic] = event->id;
		store_webhook_delivered(link, courier->webhook.id, event->topic, event->id, error);
		event_unref(&courier->event);
	}
	courier->attempts = 0;
	step(courier);
}

static void deliver(struct courier *courier);

static void on_again(void *context)
{
	struct courier *courier = context;

	timer_stop(&courier->timer);
	deliver(courier);
}

static void failed(struct courier *courier, const char *error)
{
	int64_t wait_ms;

	courier->hub->metrics->webhook_failures_total++;
	if (++courier->attempts >= (unsigned)courier->hub->settings->webhook_attempts) {
		courier->hub->metrics->webhook_dead_total++;
		log_warn("webhook delivery given up", log_str("webhook", courier->webhook.id),
			 log_str("error", error));
		done_with(courier, error);
		return;
	}
	store_webhook_failed(courier->hub->link, courier->webhook.id, error);
	wait_ms = backoff_ms(courier->attempts - 1, courier->hub->settings->webhook_backoff_ms,
			     BACKOFF_MAX);
	courier->timer = timer_start(courier->loop, wait_ms, 0, on_again, courier);
}

static void on_answer(unsigned status, const char *error, const char *body, size_t len,
		      void *context)
{
	struct courier *courier = context;
	char text[WEBHOOK_TEXT_MAX];

	(void)body;
	(void)len;
	courier->exchange = NULL;
	if (status >= 200 && status < 300) {
		courier->hub->metrics->webhook_deliveries_total++;
		done_with(courier, NULL);
		return;
	}
	if (status == 0)
		snprintf(text, sizeof(text), "%s", error);
	else
		snprintf(text, sizeof(text), "HTTP %u", status);
	failed(courier, text);
}

/* ---- one delivery ---- */

static void body_of(const struct courier *courier, const char **body_r, size_t *len_r)
{
	const struct frame *frame;

	if (courier->letter != NULL) {
		*body_r = courier->letter;
		*len_r = strlen(courier->letter);
		return;
	}
	frame = courier->event->frames[EVENT_JSON];
	*body_r = frame->data + frame->header;
	*len_r = frame->len - frame->header;
}

static void deliver(struct courier *courier)
{
	char signature[WEBHOOK_SIGNATURE_MAX], sign[128], stamp[64], name[64];
	static const char agent[] = "User-Agent: Mayday/" MAYDAY_VERSION;
	const char *headers[] = {"Content-Type: application/json", agent, name, stamp, sign, NULL};
	struct http_client_request request = {.method = "POST",
					      .url = courier->webhook.url,
					      .headers = headers,
					      .timeout_ms = TIMEOUT_MS,
					      .answer_max = ANSWER_MAX};
	int64_t seconds = clock_wall_ms() / 1000;

	body_of(courier, &request.body, &request.len);
	webhook_sign(courier->webhook.secret, seconds, request.body, request.len, signature);
	snprintf(name, sizeof(name), "Mayday-Webhook: %s", courier->webhook.id);
	snprintf(stamp, sizeof(stamp), "Mayday-Timestamp: %lld", (long long)seconds);
	snprintf(sign, sizeof(sign), "Mayday-Signature: %s", signature);
	courier->exchange = http_client_send(courier->http, &request, on_answer, courier);
	if (courier->exchange == NULL)
		failed(courier, "the address can't be used");
}

/* ---- what comes next ---- */

static bool is_free(const struct courier *courier)
{
	return !courier->freed && courier->webhook.enabled && !courier->asking &&
	       courier->exchange == NULL && courier->timer == NULL && courier->event == NULL &&
	       courier->letter == NULL && hub_is_started(courier->hub);
}

static void on_letters(const struct store_letter *letters, size_t count, void *context)
{
	struct courier *courier = context;

	courier->asking = false;
	if (!courier->freed && letters != NULL && count == 0)
		courier->webhook.replay_dead = false;
	if (!courier->freed && letters != NULL && count > 0) {
		snprintf(courier->letter_entry, sizeof(courier->letter_entry), "%s",
			 letters[0].entry);
		strcpy(courier->letters_after, courier->letter_entry);
		courier->letter = mem_strndup(letters[0].body, letters[0].len);
		deliver(courier);
	} else if (letters != NULL) {
		step(courier);
	}
	unref(courier);
}

static void take_page(struct courier *courier, const struct store_entry *entries, size_t count)
{
	const char *error;

	courier->page = mem_array(struct event *, count + 1);
	for (size_t i = 0; i < count; i++) {
		struct event *event = event_new(courier->asked, entries[i].id, entries[i].data,
						entries[i].len, &error);
		if (event != NULL)
			courier->page[courier->page_count++] = event;
	}
	if (courier->page_count == 0 && count > 0)
		courier->webhook.at.at[courier->asked] = entries[count - 1].id;
}

/* Older events than the stream holds are lost to the webhook, which its error says. */
static void skip_gap(struct courier *courier)
{
	courier->webhook.at.at[courier->asked] =
		backlog_floor(courier->hub->backlogs[courier->asked]);
	store_webhook_failed(courier->hub->link, courier->webhook.id,
			     "events were trimmed before they could be delivered");
	log_warn("webhook missed events", log_str("webhook", courier->webhook.id));
}

static void on_page(enum store_status status, const struct store_entry *entries, size_t count,
		    void *context)
{
	struct courier *courier = context;

	courier->asking = false;
	if (!courier->freed && status != STORE_AWAY) {
		if (status == STORE_OK && count > 0)
			take_page(courier, entries, count);
		else
			skip_gap(courier);
		step(courier);
	}
	unref(courier);
}

static void ask_page(struct courier *courier, enum topic topic)
{
	courier->asking = true;
	courier->asked = topic;
	courier->refs++;
	store_range(courier->hub->link, topic, courier->webhook.at.at[topic], PAGE_MAX, on_page,
		    courier);
}

/* Whether the event goes out now; one that is not wanted is passed by. */
static bool take_event(struct courier *courier, struct event *event)
{
	if (webhook_wants(&courier->webhook, event)) {
		courier->event = event_ref(event);
		deliver(courier);
		return true;
	}
	courier->webhook.at.at[event->topic] = event->id;
	courier->moved = true;
	return false;
}

/* True: something is under way, or there is nothing more of the page. */
static bool step_page(struct courier *courier)
{
	while (courier->page_at < courier->page_count) {
		struct event *event = courier->page[courier->page_at++];
		bool taken = take_event(courier, event);

		event_unref(&event);
		if (taken)
			return true;
	}
	drop_page(courier);
	return false;
}

/* True: something is under way. */
static bool step_topic(struct courier *courier, enum topic topic)
{
	const struct backlog *backlog = courier->hub->backlogs[topic];
	struct event *event;

	if (entry_id_compare(courier->webhook.at.at[topic], backlog_floor(backlog)) < 0) {
		ask_page(courier, topic);
		return true;
	}
	for (int i = 0; i < SKIP_MAX; i++) {
		event = backlog_after(backlog, courier->webhook.at.at[topic]);
		if (event == NULL)
			return false;
		if (take_event(courier, event))
			return true;
	}
	return false; /* woken again with the next event, or the next second */
}

static void step(struct courier *courier)
{
	topic_set topics = webhook_topics(&courier->webhook) & courier->webhook.at.topics;

	if (!is_free(courier) || step_page(courier))
		return;
	if (courier->webhook.replay_dead) {
		courier->asking = true;
		courier->refs++;
		store_webhook_letters(courier->hub->link, courier->webhook.id,
				      courier->letters_after, 1, on_letters, courier);
		return;
	}
	for (int i = 0; i < TOPIC_COUNT; i++) {
		courier->turn = (enum topic)((courier->turn + 1) % TOPIC_COUNT);
		if ((topics & topic_bit(courier->turn)) != 0 && step_topic(courier, courier->turn))
			return;
	}
}

void courier_wake(struct courier *courier)
{
	step(courier);
}

void courier_save(struct courier *courier)
{
	if (!courier->moved || !redis_link_is_up(courier->hub->link))
		return;
	courier->moved = false;
	store_webhook_moved(courier->hub->link, courier->webhook.id, &courier->webhook.at);
}

/* ---- life ---- */

/* Topics that were added go on from where the stream stands; what was asked to come again does. */
static void set_positions(struct courier *courier)
{
	struct webhook *webhook = &courier->webhook;

	for (enum topic topic = 0; topic < TOPIC_COUNT; topic++) {
		topic_set bit = topic_bit(topic);

		if ((webhook->replay.topics & bit) != 0)
			webhook->at.at[topic] = webhook->replay.at[topic];
		else if ((webhook->at.topics & bit) == 0)
			webhook->at.at[topic] = backlog_tip(courier->hub->backlogs[topic]);
		webhook->at.topics |= bit;
	}
	strcpy(courier->letters_after, "0-0");
	if (webhook->replay.topics != 0 || webhook->replay_dead)
		store_webhook_replaying(courier->hub->link, webhook);
	webhook->replay.topics = 0;
}

struct courier *courier_new(uv_loop_t *loop, struct hub *hub, struct http_client *http,
			    struct webhook *webhook)
{
	struct courier *courier = mem_new(struct courier);

	courier->loop = loop;
	courier->hub = hub;
	courier->http = http;
	courier->webhook = *webhook;
	webhook->filter = NULL;
	courier->refs = 1;
	set_positions(courier);
	step(courier);
	return courier;
}

void courier_free(struct courier **courier)
{
	struct courier *old = *courier;

	*courier = NULL;
	if (old == NULL)
		return;
	courier_save(old);
	old->freed = true;
	http_client_cancel(&old->exchange);
	timer_stop(&old->timer);
	event_unref(&old->event);
	drop_page(old);
	free(old->letter);
	webhook_clear(&old->webhook);
	unref(old);
}

const char *courier_id(const struct courier *courier)
{
	return courier->webhook.id;
}

int64_t courier_revision(const struct courier *courier)
{
	return courier->webhook.revision;
}
