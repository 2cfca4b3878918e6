#include "calls.h"

#include "call_batch.h"
#include "clock.h"
#include "jobs.h"
#include "json.h"
#include "lease.h"
#include "log.h"
#include "loop.h"
#include "mem.h"
#include "outbox.h"
#include "reminders.h"
#include "settings.h"
#include "store.h"
#include "stream_id.h"

#include <stdlib.h>
#include <string.h>

#define LEASE_NAME   "crm-calls"
#define BATCH_MAX    50
#define BLOCK_MS     5000
#define RETRY_MIN_MS 200
#define RETRY_MAX_MS 2000
#define POPS         4096
#define DAY_MS       86400000

struct calls {
	struct service *service;
	struct lease *lease;
	struct stream_reader *reader; /* while the lease is held */
	struct reminders *reminders;
	struct call_batch *batch; /* owned: what is under way; the reader waits for it */
	struct timer *retry;
	unsigned attempt;
	bool is_working; /* a step is on its way */
	bool is_draining;
	bool is_closed;
	uint64_t pops[POPS]; /* hashes of call and extension that were told of lately */
};

static void begin(struct calls *calls);
static void open_reader(struct calls *calls);

static void free_calls(struct calls *calls)
{
	if (calls->batch != NULL)
		call_batch_free(calls->batch);
	free(calls);
}

/* A step has ended. True: it was the last, the struct is gone. */
static bool ended(struct calls *calls)
{
	calls->is_working = false;
	if (!calls->is_closed)
		return false;
	free_calls(calls);
	return true;
}

static void drop_batch(struct calls *calls)
{
	call_batch_free(calls->batch);
	calls->batch = NULL;
}

/* Somebody else follows the calls when the lease is lost. */
static void try_again(struct calls *calls)
{
	calls->service->metrics.crm_calls_retries_total++;
	if (!lease_is_held(calls->lease)) {
		drop_batch(calls);
		return;
	}
	if (calls->is_draining)
		return;
	timer_again(calls->retry, backoff_ms(calls->attempt++, RETRY_MIN_MS, RETRY_MAX_MS));
}

static void on_retry(void *_calls)
{
	struct calls *calls = _calls;

	if (calls->batch != NULL && !calls->is_working)
		begin(calls);
}

/* ---- the last step: done with it ---- */

static void count(struct calls *calls, const struct call_batch *batch)
{
	struct crm_metrics *metrics = &calls->service->metrics;

	metrics->crm_calls_opened_total += batch->opened;
	metrics->crm_calls_closed_total += batch->closed;
	metrics->crm_calls_matched_total += batch->matched;
}

static void on_acked(bool ok, void *_calls)
{
	struct calls *calls = _calls;

	if (ended(calls))
		return;
	if (!ok) {
		try_again(calls);
		return;
	}
	drop_batch(calls);
	calls->attempt = 0;
	if (calls->is_draining)
		return;
	if (calls->reader != NULL)
		stream_reader_next(calls->reader);
	else if (lease_is_held(calls->lease))
		open_reader(calls);
}

static void on_written(void *_calls)
{
	struct calls *calls = _calls;

	if (ended(calls))
		return;
	if (calls->batch->result != DB_OK) {
		log_warn("interactions not written", log_int("result", (int)calls->batch->result));
		try_again(calls);
		return;
	}
	count(calls, calls->batch);
	calls->is_working = true;
	store_commit(calls->service->link, NULL, calls->batch->acks, NULL, on_acked, calls);
}

static void write_work(struct db *db, void *_calls)
{
	struct calls *calls = _calls;

	call_batch_write_work(db, calls->batch);
}

static void write_batch(struct calls *calls)
{
	calls->is_working =
		mongo_run(calls->service->mongo, MONGO_CALLS, write_work, on_written, calls) == 0;
	if (!calls->is_working)
		try_again(calls);
}

/* ---- what the calls were at their end ---- */

static void on_calls(const cJSON *found, void *_calls)
{
	struct calls *calls = _calls;

	if (ended(calls))
		return;
	if (found == NULL) {
		try_again(calls);
		return;
	}
	cJSON_Delete(calls->batch->calls);
	calls->batch->calls = cJSON_Duplicate(found, true);
	write_batch(calls);
}

static void ask_calls(struct calls *calls)
{
	if (calls->batch->ended->child == NULL) {
		write_batch(calls);
		return;
	}
	calls->is_working = true;
	store_get_calls(calls->service->link, calls->batch->ended, on_calls, calls);
}

/* ---- the screen pop ---- */

static uint64_t hash_text(uint64_t hash, const char *text)
{
	for (; text != NULL && *text != '\0'; text++)
		hash = (hash ^ (unsigned char)*text) * 1099511628211U; /* FNV-1a */
	return (hash ^ '|') * 1099511628211U;
}

/* Once for each call and telephone; after a restart perhaps once more. */
static bool was_told(struct calls *calls, const cJSON *event)
{
	uint64_t hash = hash_text(14695981039346656037U, json_get_str(event, "callId"));
	uint64_t *place;

	hash = hash_text(hash, json_get_str(event, "extension"));
	place = &calls->pops[hash % POPS];
	if (*place == hash)
		return true;
	*place = hash;
	return false;
}

static void drop_told(struct calls *calls, cJSON *events)
{
	cJSON *event = events->child;

	while (event != NULL) {
		cJSON *next = event->next;

		if (was_told(calls, event))
			cJSON_Delete(cJSON_DetachItemViaPointer(events, event));
		event = next;
	}
}

/* The first entry's id tells when it was written. */
static void observe(struct calls *calls)
{
	const char *id = json_get_str(calls->batch->entries->child, "id");
	int64_t written_ms = (int64_t)stream_id_parse(id).ms;

	metric_observe_us(&calls->service->metrics.crm_match_delay_seconds,
			  (clock_wall_ms() - written_ms) * 1000);
}

static void on_told(bool ok, void *_calls)
{
	struct calls *calls = _calls;

	if (ended(calls))
		return;
	if (ok) {
		ask_calls(calls);
		return;
	}
	memset(calls->pops, 0, sizeof(calls->pops)); /* who knows what was told */
	try_again(calls);
}

static void on_matched(void *_calls)
{
	struct calls *calls = _calls;

	if (ended(calls))
		return;
	if (calls->batch->result != DB_OK) {
		try_again(calls);
		return;
	}
	drop_told(calls, calls->batch->events);
	if (calls->batch->events->child == NULL) {
		ask_calls(calls);
		return;
	}
	observe(calls);
	calls->is_working = true;
	store_commit(calls->service->link, calls->batch->events, NULL, NULL, on_told, calls);
}

static void match_work(struct db *db, void *_calls)
{
	struct calls *calls = _calls;

	call_batch_match_work(db, calls->batch);
}

static void begin(struct calls *calls)
{
	calls->is_working =
		mongo_run(calls->service->mongo, MONGO_CALLS, match_work, on_matched, calls) == 0;
	if (!calls->is_working)
		try_again(calls);
}

/* ---- the stream ---- */

static void on_batch(const struct stream_entry *entries, size_t entries_count, void *_calls)
{
	struct calls *calls = _calls;
	struct call_batch *batch = mem_new(struct call_batch);

	batch->phones = &calls->service->phones;
	batch->repeat_ms = settings.crm.repeat_days * DAY_MS;
	call_batch_init(batch, entries, entries_count);
	calls->batch = batch;
	begin(calls);
}

static void open_reader(struct calls *calls)
{
	static const char *const streams[] = {STORE_CALLS_STREAM, NULL};
	struct stream_reader_settings set = {
		.redis = &settings.redis,
		.streams = streams,
		.group = STORE_CALLS_GROUP,
		.consumer = "calls",
		.batch_max = BATCH_MAX,
		.block_ms = BLOCK_MS,
		.on_batch = on_batch,
		.context = calls,
	};

	calls->reader = stream_reader_open(calls->service->daemon->loop, &set);
}

static void on_acquired(int64_t token, void *_calls)
{
	struct calls *calls = _calls;

	(void)token;
	if (calls->is_draining)
		return;
	reminders_start(calls->reminders);
	outbox_start(calls->service->outbox);
	jobs_start(calls->service->jobs);
	/* While a batch of an earlier lease is under way the reader waits for its end. */
	if (calls->reader == NULL && calls->batch == NULL)
		open_reader(calls);
}

static void on_lost(const char *reason, void *_calls)
{
	struct calls *calls = _calls;

	(void)reason;
	reminders_stop(calls->reminders);
	outbox_stop(calls->service->outbox);
	jobs_stop(calls->service->jobs);
	stream_reader_close(&calls->reader);
	if (calls->batch != NULL && !calls->is_working)
		drop_batch(calls);
}

void calls_mongo_up(struct calls *calls)
{
	if (calls == NULL)
		return;
	reminders_mongo_up(calls->reminders);
	if (calls->batch != NULL && !calls->is_working && !calls->is_draining)
		timer_again(calls->retry, 0);
}

/* ---- life ---- */

struct calls *calls_open(struct service *service)
{
	struct calls *calls = mem_new(struct calls);
	struct lease_hooks hooks = {on_acquired, on_lost, calls};

	calls->service = service;
	calls->retry = timer_start(service->daemon->loop, INT32_MAX, 0, on_retry, calls);
	calls->reminders = reminders_open(service);
	calls->lease = lease_open(service->daemon->loop, service->link, LEASE_NAME,
				  service->daemon->instance, settings.crm.lease_ttl_ms, &hooks);
	return calls;
}

void calls_drain(struct calls *calls)
{
	calls->is_draining = true;
	reminders_stop(calls->reminders);
	outbox_stop(calls->service->outbox);
	jobs_stop(calls->service->jobs);
}

bool calls_idle(const struct calls *calls)
{
	return !calls->is_working;
}

void calls_close(struct calls **_calls)
{
	struct calls *calls = *_calls;

	*_calls = NULL;
	if (calls == NULL)
		return;
	calls->is_closed = true;
	timer_stop(&calls->retry);
	stream_reader_close(&calls->reader);
	reminders_close(&calls->reminders);
	lease_close(&calls->lease);
	if (!calls->is_working)
		free_calls(calls);
}
