#include "history.h"

#include "clock.h"
#include "history_write.h"
#include "history_zone.h"
#include "lease.h"
#include "log.h"
#include "loop.h"
#include "mem.h"
#include "stream_reader.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BLOCK_MS     1000
#define RETRY_MIN_MS 200
#define RETRY_MAX_MS 5000
#define PRUNE_MS     600000 /* between looks for what is too old */
#define PRUNE_ON_MS  200    /* between parts of it */

#define METRIC(kind, name, help) METRIC_FIELD_##kind(name)
struct history_metrics {
#include "history_metrics.inc"
};
#undef METRIC

#define METRIC(kind, name, help) METRIC_DEF(kind, struct history_metrics, name, help)
static const struct metric_def metric_defs[] = {
#include "history_metrics.inc"
	METRIC_END};
#undef METRIC

static const char *const streams[] = {"events:call", "events:agent", NULL};

enum history_state {
	HISTORY_IDLE,      /* no lease, Redis or MariaDB */
	HISTORY_ASKING,    /* MariaDB: how far it is */
	HISTORY_READING,   /* or waiting for entries */
	HISTORY_GATHERING, /* the calls of a batch are read from Redis */
	HISTORY_WRITING,
};

struct history {
	struct history_settings set;
	uv_loop_t *loop;
	struct redis_link *link;
	struct lease *lease;
	struct stream_reader *reader;
	struct timer *retry, *prune;
	enum history_state state;
	unsigned generation; /* answers of an earlier one are of no interest */
	bool database_up, draining;
	bool cautious; /* one entry at a time, for one of them is refused */
	bool zones_right;
	struct history_position position;
	struct history_batch batch;
	size_t waiting; /* for calls */
	bool lost;      /* one of them */
	unsigned attempt;
	int64_t write_us;
	struct health_item *health;
	struct history_metrics metrics;
};

/* What is asked is answered while the history is there, but maybe in a later life of it. */
struct question {
	struct history *history;
	unsigned generation;
};

static void begin(struct history *history);

static struct question *ask(struct history *history)
{
	struct question *question = mem_new(struct question);

	*question = (struct question){history, history->generation};
	return question;
}

/* NULL: too late. */
static struct history *answered(void *context)
{
	struct question *question = context;
	struct history *history = question->history;

	if (question->generation != history->generation)
		history = NULL;
	free(question);
	return history;
}

/* Nothing that was not committed is kept. */
static void forget(struct history *history)
{
	history->generation++;
	stream_reader_close(&history->reader);
	history_batch_free(&history->batch);
	history->state = HISTORY_IDLE;
	history->metrics.history_leader = 0;
	history->metrics.history_behind_ms = 0;
}

static void on_retry(void *context)
{
	struct history *history = context;

	timer_stop(&history->retry);
	begin(history);
}

static void start_again(struct history *history, const char *why)
{
	log_warn("the history is taken up again", log_str("why", why));
	forget(history);
	if (history->retry == NULL)
		history->retry = timer_start(
			history->loop, backoff_ms(history->attempt++, RETRY_MIN_MS, RETRY_MAX_MS),
			0, on_retry, history);
}

/* ---- a batch into MariaDB ---- */

/* Something in it, and not the database's own trouble: to be found and left out. */
static bool is_data_fault(unsigned error)
{
	static const unsigned faults[] = {1048, 1153, 1264, 1265, 1292, 1300, 1366, 1406};

	for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++)
		if (faults[i] == error)
			return true;
	return error >= 4035 && error <= 4045; /* JSON */
}

static void written(struct history *history)
{
	struct history_metrics *metrics = &history->metrics;

	history->position.number++;
	history->attempt = 0;
	metrics->history_batches_total++;
	metrics->history_calls_total += history->batch.calls.count;
	metrics->history_spans_total += history->batch.spans.count;
	metrics->history_behind_ms = 0;
	metric_observe_us(&metrics->history_write_seconds, clock_mono_us() - history->write_us);
	history_batch_free(&history->batch);
	history->state = HISTORY_READING;
	if (!history->draining)
		stream_reader_next(history->reader);
}

static void on_written(const struct sql_result *result, void *context)
{
	struct history *history = answered(context);

	if (history == NULL)
		return;
	if (result->status == SQL_OK) {
		written(history);
		return;
	}
	if (result->status == SQL_FAILED)
		log_error("a batch of the history was refused", log_str("reason", result->error),
			  log_int("calls", (int64_t)history->batch.calls.count));
	if (result->status == SQL_FAILED && is_data_fault(result->error_number)) {
		if (history->cautious) {
			/* This one it is. */
			history->metrics.history_refused_total++;
			history->cautious = false;
			history_batch_free(&history->batch);
			history_write(history->set.sql, &history->position, NULL, on_written,
				      ask(history));
			return;
		}
		history->cautious = true;
	}
	start_again(history, result->error);
}

static void write_batch(struct history *history)
{
	history->state = HISTORY_WRITING;
	history->write_us = clock_mono_us();
	history_batch_finish(&history->batch, history->set.zones);
	history_write(history->set.sql, &history->position, &history->batch, on_written,
		      ask(history));
}

/* ---- entries ---- */

static void on_call(const redisReply *reply, void *context)
{
	struct history *history = answered(context);

	if (history == NULL)
		return;
	if (reply == NULL || reply->type == REDIS_REPLY_ERROR)
		history->lost = true;
	else if (!history_batch_add_call(&history->batch, reply))
		history->metrics.history_missing_total++;
	if (--history->waiting > 0)
		return;
	if (!history->lost)
		write_batch(history);
	else if (reply != NULL)
		start_again(history, "calls could not be read");
	/* else the link is down: on_link_down() is next */
}

static void take_call(struct history *history, const cJSON *event)
{
	const char *id = json_get_str(event, "callId");
	struct question *question;

	if (id == NULL)
		return;
	question = ask(history);
	if (store_call_get(history->link, id, store_call_field_count, on_call, question) == 0) {
		history->waiting++;
		return;
	}
	free(question);
	history->lost = true;
}

static bool has(const struct stream_entry *entry, const char *text)
{
	return memmem(entry->data, entry->len, text, strlen(text)) != NULL;
}

static void take(struct history *history, const struct stream_entry *entry)
{
	bool of_call = strcmp(entry->stream, streams[0]) == 0;
	char *upto = of_call ? history->position.calls_upto : history->position.agents_upto;
	const char *error;
	cJSON *event;

	snprintf(upto, STORE_ID_MAX, "%s", entry->id);
	if (!has(entry, of_call ? "\"call:ended\"" : "\"previousState\""))
		return;
	event = json_parse(entry->data, entry->len, &error);
	if (of_call)
		take_call(history, event);
	else
		(void)history_batch_add_span(&history->batch, event, history->set.zones);
	if (history->metrics.history_behind_ms == 0)
		history->metrics.history_behind_ms =
			clock_wall_ms() - json_get_int(event, "timestamp", clock_wall_ms());
	cJSON_Delete(event);
}

static void on_batch(const struct stream_entry *entries, size_t count, void *context)
{
	struct history *history = context;

	history->state = HISTORY_GATHERING;
	history->waiting = 0;
	history->lost = false;
	for (size_t i = 0; i < count; i++)
		take(history, &entries[i]);
	if (history->waiting > 0)
		return;
	if (history->lost) {
		start_again(history, "Redis is away");
	} else if (history->batch.spans.count > 0) {
		write_batch(history);
	} else {
		history->state = HISTORY_READING;
		stream_reader_next(history->reader);
	}
}

/* ---- beginning ---- */

static void read_on(struct history *history)
{
	const char *const cursors[] = {history->position.calls_upto, history->position.agents_upto};
	const struct stream_reader_settings set = {
		.redis = history->set.redis,
		.streams = streams,
		.cursors = cursors,
		.batch_max = history->cautious ? 1 : history->set.batch_max,
		.block_ms = BLOCK_MS,
		.on_batch = on_batch,
		.context = history,
	};

	history->state = HISTORY_READING;
	history->reader = stream_reader_open(history->loop, &set);
	history->metrics.history_leader = 1;
	health_set(history->health, true, "writing");
	timer_again(history->prune, PRUNE_ON_MS);
	log_info("writing the history", log_int("batch", history->position.number),
		 log_str("calls_upto", history->position.calls_upto));
}

static void on_zones(bool right, void *context)
{
	struct history *history = answered(context);

	if (history == NULL)
		return;
	history->zones_right = right;
	if (right)
		read_on(history);
	else
		start_again(history, "the sums by day could not be brought to the zones");
}

static void copy_id(char *id_r, const struct sql_result *result, size_t column)
{
	snprintf(id_r, STORE_ID_MAX, "%s",
		 result->rows > 0 ? sql_cell(result, 0, column)->text : "0-0");
}

static void on_position(const struct sql_result *result, void *context)
{
	struct history *history = answered(context);

	if (history == NULL)
		return;
	if (result->status != SQL_OK) {
		start_again(history, result->error);
		return;
	}
	history->position.number = result->rows > 0 ? sql_cell(result, 0, 0)->number : 0;
	copy_id(history->position.calls_upto, result, 1);
	copy_id(history->position.agents_upto, result, 2);
	if (history->zones_right)
		read_on(history);
	else
		history_zones_set(history->set.sql, history->set.zones, on_zones, ask(history));
}

static void begin(struct history *history)
{
	if (history->state != HISTORY_IDLE || history->draining || !history->database_up ||
	    history->lease == NULL || !lease_is_held(history->lease) ||
	    !redis_link_is_up(history->link) || history->retry != NULL)
		return;
	history->state = HISTORY_ASKING;
	history_ask_position(history->set.sql, on_position, ask(history));
}

void history_database(struct history *history, bool up)
{
	history->database_up = up;
	if (up)
		begin(history);
	else
		health_set(history->health, false, "MariaDB is away: the streams wait");
}

static void on_link_up(void *context)
{
	begin(context);
}

static void on_link_down(const char *reason, void *context)
{
	struct history *history = context;

	health_set(history->health, false, reason);
	if (history->state != HISTORY_IDLE)
		start_again(history, "the connection to Redis went down");
}

static void on_acquired(int64_t token, void *context)
{
	(void)token;
	begin(context);
}

static void on_lost(const char *reason, void *context)
{
	struct history *history = context;

	log_warn("the lease of the history is lost", log_str("reason", reason));
	forget(history);
	health_set(history->health, true, "standing by");
}

/* ---- what is too old ---- */

static void on_pruned(const struct sql_result *result, void *context)
{
	struct history *history = answered(context);

	if (history == NULL || result->status != SQL_OK)
		return;
	history->metrics.history_pruned_total += result->affected;
	if (result->affected > 0)
		timer_again(history->prune, PRUNE_ON_MS);
}

static void on_prune(void *context)
{
	struct history *history = context;
	int64_t keep_ms = history->set.keep_days * 86400000;

	timer_again(history->prune, PRUNE_MS);
	if (keep_ms > 0 && history->database_up &&
	    (history->state == HISTORY_READING || history->state == HISTORY_WRITING))
		history_prune(history->set.sql, clock_wall_ms() - keep_ms, history->position.number,
			      on_pruned, ask(history));
}

/* ---- life ---- */

struct history *history_open(uv_loop_t *loop, const struct history_settings *set)
{
	struct history *history = mem_new(struct history);
	const struct redis_link_hooks hooks = {on_link_up, on_link_down, history};
	const struct lease_hooks lease_hooks = {on_acquired, on_lost, history};

	history->set = *set;
	history->loop = loop;
	history->health = health_add(set->health, "history", true);
	metrics_add(set->metrics, metric_defs, "", &history->metrics);
	history->link = redis_link_open(loop, set->redis, "history", &hooks);
	history->lease = lease_open(loop, history->link, "history", set->instance,
				    set->lease_ttl_ms, &lease_hooks);
	history->prune = timer_start(loop, PRUNE_MS, PRUNE_MS, on_prune, history);
	return history;
}

void history_drain(struct history *history)
{
	history->draining = true;
}

bool history_drained(struct history *history)
{
	if (history->state == HISTORY_GATHERING || history->state == HISTORY_WRITING)
		return false;
	forget(history);
	lease_close(&history->lease);
	return redis_link_pending(history->link) == 0;
}

void history_close(struct history **closed)
{
	struct history *history = *closed;

	*closed = NULL;
	if (history == NULL)
		return;
	forget(history);
	timer_stop(&history->retry);
	timer_stop(&history->prune);
	lease_close(&history->lease);
	redis_link_close(&history->link);
	metrics_remove(history->set.metrics, &history->metrics);
	free(history);
}
