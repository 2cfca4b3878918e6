#include "follower.h"

#include "clock.h"
#include "lease.h"
#include "lifecycle_metrics.h"
#include "log.h"
#include "loop.h"
#include "mem.h"
#include "model_check.h"
#include "stash.h"
#include "store.h"
#include "stream_reader.h"

#include <stdio.h>
#include <string.h>

#define TICK_MS     100
#define RETRY_MS    200
#define CHECK_TICKS 100 /* the invariants are looked at this often while nothing is read */
#define BLOCK_MS    1000

enum follower_state {
	FOLLOWER_IDLE,     /* no lease, or no connection */
	FOLLOWER_LOADING,  /* the state comes from Redis */
	FOLLOWER_WATCHING, /* loaded; the fence is asked for */
	FOLLOWER_READING,
};

struct follower {
	struct follower_settings set;
	struct model_settings model_settings;
	uv_loop_t *loop;
	struct redis_link *link;       /* for commits alone: WATCH is a state of the connection */
	struct redis_link *lease_link; /* so that a big commit does not hold up a renewal */
	struct lease *lease;
	struct stream_reader *reader;
	struct store_load *load;
	struct model *model;
	struct timer *tick, *retry;
	enum follower_state state;
	char *stream, *lease_name, *labels;
	const char *streams[2];
	char applied_id[STORE_ID_MAX];
	bool sweeping;          /* the effects are of time, or of the end of a snapshot alone */
	struct store_part part; /* of such effects, when they are too many for one transaction */
	struct stash left;      /* entries that wait for that */
	bool ready;             /* a batch is applied and waits to be committed */
	bool committing;        /* a transaction is under way */
	bool watched;           /* the fence was ours when it was last asked for */
	bool draining;
	int64_t commit_us, load_at_ms, entry_at_ms;
	unsigned ticks;
	struct health_item *health;
	struct lifecycle_metrics metrics;
};

static void begin(struct follower *follower);

static void show_counters(struct follower *follower)
{
	struct lifecycle_metrics *metrics = &follower->metrics;
	const struct model_counters *counters;

	metrics->lifecycle_leader = follower->state == FOLLOWER_READING;
	if (follower->model == NULL)
		return;
	counters = model_counters(follower->model);
	metrics->lifecycle_live_calls = (int64_t)model_live_calls(follower->model);
	metrics->lifecycle_live_channels = (int64_t)model_live_channels(follower->model);
#define ADD(name) metrics->lifecycle_##name##_total += counters->name
	ADD(entries);
	ADD(ignored);
	ADD(malformed);
	ADD(forged);
	ADD(torn);
	ADD(unknown);
	ADD(impossible);
	ADD(overflow);
#undef ADD
	metrics->lifecycle_calls_ended_total += counters->ended;
	metrics->lifecycle_calls_reconciled_total += counters->reconciled;
	model_reset_counters(follower->model);
}

/* Nothing that was not committed is kept. */
static void forget(struct follower *follower)
{
	show_counters(follower);
	store_load_cancel(&follower->load);
	stream_reader_close(&follower->reader);
	model_free(&follower->model);
	follower->state = FOLLOWER_IDLE;
	follower->part = (struct store_part){0, 0, 0};
	follower->sweeping = false;
	stash_free(&follower->left);
	follower->ready = false;
	follower->committing = false;
	follower->watched = false;
	follower->metrics.lifecycle_leader = 0;
}

static void on_retry(void *context)
{
	struct follower *follower = context;

	timer_stop(&follower->retry);
	begin(follower);
}

/* From any callback: the state is loaded again a little later. */
static void start_again(struct follower *follower, const char *why)
{
	log_warn("state is loaded again", log_str("pbx", follower->set.pbx), log_str("why", why));
	forget(follower);
	if (follower->retry == NULL)
		follower->retry = timer_start(follower->loop, RETRY_MS, 0, on_retry, follower);
}

/* ---- commits ---- */

static void try_commit(struct follower *follower);
static void apply_left(struct follower *follower);

/* Read after WATCH: if the lease is ours now and at EXEC, nobody else has had it. */
static void on_fence(const redisReply *reply, void *context)
{
	struct follower *follower = context;

	if (follower->model == NULL || reply == NULL)
		return;
	if (!lease_confirms(follower->lease, reply)) {
		start_again(follower, "the lease is another's");
		return;
	}
	follower->watched = true;
	if (follower->state == FOLLOWER_WATCHING) {
		follower->state = FOLLOWER_READING;
		begin(follower);
	}
	try_commit(follower);
}

static void on_exec(const redisReply *reply, void *context)
{
	struct follower *follower = context;

	if (follower->model == NULL || !follower->committing)
		return;
	follower->committing = false;
	if (reply == NULL || reply->type != REDIS_REPLY_ARRAY) {
		follower->metrics.lifecycle_commits_lost_total++;
		start_again(follower, reply == NULL ? "the answer to a commit is lost"
				      : reply->type == REDIS_REPLY_ERROR ? reply->str
									 : "a commit was refused");
		return;
	}
	follower->metrics.lifecycle_commits_total++;
	metric_observe_us(&follower->metrics.lifecycle_commit_seconds,
			  clock_mono_us() - follower->commit_us);
	try_commit(follower);
}

static int watch(struct follower *follower)
{
	if (store_watch(follower->link, follower->set.pbx) < 0)
		return -1;
	return lease_watch(follower->lease, follower->link, on_fence, follower);
}

static bool in_parts(const struct follower *follower)
{
	return follower->part.calls > 0 || follower->part.agents > 0 || follower->part.queues > 0;
}

static bool has_effects(struct follower *follower)
{
	const struct model_effects *effects = model_effects(follower->model);

	return effects->call_count > 0 || effects->agent_count > 0 || effects->queue_count > 0;
}

/* One transaction is under way while the next batch is read and applied. */
static void try_commit(struct follower *follower)
{
	bool read_on = follower->ready;

	if (follower->committing || !follower->watched || follower->state != FOLLOWER_READING ||
	    (!follower->ready && !has_effects(follower)))
		return;
	follower->committing = true;
	follower->watched = false;
	follower->commit_us = clock_mono_us();
	if (store_commit(follower->link, follower->set.pbx, follower->model, follower->applied_id,
			 follower->sweeping, &follower->part, on_exec, follower) < 0 ||
	    watch(follower) < 0) {
		start_again(follower, "the connection went down in a commit");
		return;
	}
	if (in_parts(follower))
		return;
	follower->ready = false;
	follower->sweeping = false;
	model_clear_effects(follower->model);
	if (follower->left.count > 0)
		apply_left(follower);
	else if (read_on && !follower->draining)
		stream_reader_next(follower->reader);
}

/* ---- entries ---- */

/* It may change every call there is, and is committed by itself. */
static bool is_sweep(const struct stream_entry *entry)
{
	static const char name[] = "\"MaydaySnapshotEnd\"";

	return memmem(entry->data, entry->len < 100 ? entry->len : 100, name, sizeof(name) - 1) !=
	       NULL;
}

/* Up to the next sweep, or that alone. Returns how many were applied. */
static size_t apply(struct follower *follower, const struct stream_entry *entries, size_t count)
{
	size_t done = 0;

	while (done < count && !follower->sweeping) {
		const struct stream_entry *entry = &entries[done];

		if (is_sweep(entry) && done > 0)
			break;
		follower->sweeping = is_sweep(entry);
		done++;
		if (stream_id_compare(entry->id, follower->applied_id) <= 0)
			continue;
		model_apply(follower->model, entry->data, entry->len);
		snprintf(follower->applied_id, sizeof(follower->applied_id), "%s", entry->id);
	}
	follower->ready = true;
	return done;
}

static void apply_left(struct follower *follower)
{
	struct stash left = follower->left;
	size_t done = apply(follower, left.entries, left.count);

	follower->left = stash_copy(left.entries + done, left.count - done);
	stash_free(&left);
}

static void on_batch(const struct stream_entry *entries, size_t count, void *context)
{
	struct follower *follower = context;
	size_t done = apply(follower, entries, count);

	follower->left = stash_copy(entries + done, count - done);
	follower->entry_at_ms = clock_mono_ms();
	try_commit(follower);
}

/* From the last entry that was committed, and not as the consumer of a group: what a group delivers
   to a reader that is dead or asleep, and not yet known to be, would be missed by its successor. */
static void open_reader(struct follower *follower)
{
	const char *const cursors[] = {follower->applied_id};
	const struct stream_reader_settings set = {
		.redis = follower->set.redis,
		.streams = follower->streams,
		.cursors = cursors,
		.batch_max = follower->set.batch_max,
		.block_ms = BLOCK_MS,
		.on_batch = on_batch,
		.context = follower,
	};

	follower->reader = stream_reader_open(follower->loop, &set);
	health_set(follower->health, true, "following");
	log_info("following", log_str("pbx", follower->set.pbx),
		 log_str("applied_id", follower->applied_id));
}

/* ---- beginning ---- */

static void on_loaded(const struct store_loaded *loaded, void *context)
{
	struct follower *follower = context;

	follower->load = NULL;
	if (!loaded->ok) {
		start_again(follower, "the state could not be read");
		return;
	}
	if (loaded->broken > 0)
		log_error("live calls could not be rebuilt", log_str("pbx", follower->set.pbx),
			  log_int("calls", (int64_t)loaded->broken));
	if (loaded->missed) {
		log_error("events were trimmed before they were applied: what is known is stale "
			  "until "
			  "the next snapshot",
			  log_str("pbx", follower->set.pbx),
			  log_str("applied_id", loaded->applied_id));
		model_doubt(follower->model);
	}
	snprintf(follower->applied_id, sizeof(follower->applied_id), "%s", loaded->applied_id);
	follower->metrics.lifecycle_loads_total++;
	follower->metrics.lifecycle_load_ms = clock_mono_ms() - follower->load_at_ms;
	log_info("state loaded", log_str("pbx", follower->set.pbx),
		 log_int("calls", (int64_t)loaded->calls),
		 log_int("ms", follower->metrics.lifecycle_load_ms));
	follower->state = FOLLOWER_WATCHING;
	if (watch(follower) < 0)
		start_again(follower, "the connection went down");
}

static void begin(struct follower *follower)
{
	if (follower->draining || follower->lease == NULL || !lease_is_held(follower->lease) ||
	    !redis_link_is_up(follower->link))
		return;
	if (follower->state == FOLLOWER_IDLE) {
		follower->load_at_ms = clock_mono_ms();
		follower->entry_at_ms = follower->load_at_ms;
		follower->model = model_new(&follower->model_settings);
		follower->state = FOLLOWER_LOADING;
		follower->load =
			store_load_start(follower->link, follower->set.pbx, follower->set.instance,
					 follower->model, on_loaded, follower);
		if (follower->load == NULL)
			start_again(follower, "the connection went down");
	} else if (follower->state == FOLLOWER_READING && follower->reader == NULL) {
		open_reader(follower);
	}
}

static void on_link_up(void *context)
{
	begin(context);
}

static void on_link_down(const char *reason, void *context)
{
	struct follower *follower = context;

	health_set(follower->health, false, reason);
	if (follower->state != FOLLOWER_IDLE)
		start_again(follower, "the connection went down");
}

static void on_acquired(int64_t token, void *context)
{
	struct follower *follower = context;

	(void)token;
	begin(follower);
}

static void on_lost(const char *reason, void *context)
{
	struct follower *follower = context;

	(void)reason;
	forget(follower);
	if (redis_link_is_up(follower->link))
		health_set(follower->health, true, "standing by");
}

/* ---- time ---- */

/* While no entry comes, the entries' clock goes on as ours does. */
static void pass_time(struct follower *follower)
{
	int64_t quiet_ms = clock_mono_ms() - follower->entry_at_ms;

	if (follower->state != FOLLOWER_READING || follower->ready || follower->committing ||
	    in_parts(follower) || quiet_ms < TICK_MS || model_as_of(follower->model) == 0)
		return;
	model_tick(follower->model, model_as_of(follower->model) + quiet_ms);
	follower->sweeping = has_effects(follower);
	try_commit(follower);
}

static void look_at_invariants(struct follower *follower)
{
	struct buffer faults = {0};
	size_t count;

	if (follower->model == NULL || ++follower->ticks % CHECK_TICKS != 0)
		return;
	count = model_check(follower->model, &faults);
	if (count > 0)
		log_error("the model contradicts itself", log_str("faults", buffer_str(&faults)));
	follower->metrics.lifecycle_invariant_faults_total += count;
	buffer_free(&faults);
}

static void on_tick(void *context)
{
	struct follower *follower = context;

	if (follower->lease == NULL)
		return;
	if (!lease_is_held(follower->lease) && redis_link_is_up(follower->link))
		health_set(follower->health, true, "standing by");
	show_counters(follower);
	look_at_invariants(follower);
	pass_time(follower);
}

/* ---- life ---- */

struct follower *follower_open(uv_loop_t *loop, const struct follower_settings *set)
{
	struct follower *follower = mem_new(struct follower);
	const struct redis_link_hooks hooks = {on_link_up, on_link_down, follower};
	const struct lease_hooks lease_hooks = {on_acquired, on_lost, follower};

	follower->set = *set;
	follower->loop = loop;
	follower->model_settings =
		(struct model_settings){.pbx = set->pbx,
					.is_one_of_many = set->is_one_of_many,
					.pbx_down_ms = set->pbx_down_ms,
					.calls_max = set->calls_max,
					.zone = set->zone,
					.wrap_up_ms = set->wrap_up_ms,
					.service_level_ms = set->service_level_ms,
					.short_abandon_ms = set->short_abandon_ms};
	follower->stream = store_source_stream(set->pbx);
	follower->streams[0] = follower->stream;
	follower->lease_name = store_lease_name(set->pbx);
	follower->labels = mem_printf("pbx=\"%s\"", set->pbx);
	follower->health = health_add(set->health, follower->lease_name, false);
	metrics_add(set->metrics, lifecycle_metric_defs, follower->labels, &follower->metrics);
	follower->link = redis_link_open(loop, set->redis, "commit", &hooks);
	follower->lease_link = redis_link_open(loop, set->redis, "lease", NULL);
	follower->lease = lease_open(loop, follower->lease_link, follower->lease_name,
				     set->instance, set->lease_ttl_ms, &lease_hooks);
	follower->tick = timer_start(loop, TICK_MS, TICK_MS, on_tick, follower);
	return follower;
}

void follower_drain(struct follower *follower)
{
	follower->draining = true;
}

/* The lease is given back before the connection goes, so that a stand-by need not wait. */
bool follower_drained(struct follower *follower)
{
	if (follower->committing || follower->ready || in_parts(follower))
		return false;
	forget(follower);
	lease_close(&follower->lease);
	return redis_link_pending(follower->lease_link) == 0;
}

void follower_close(struct follower **closed)
{
	struct follower *follower = *closed;

	*closed = NULL;
	if (follower == NULL)
		return;
	forget(follower);
	timer_stop(&follower->tick);
	timer_stop(&follower->retry);
	lease_close(&follower->lease);
	redis_link_close(&follower->link);
	redis_link_close(&follower->lease_link);
	metrics_remove(follower->set.metrics, &follower->metrics);
	free(follower->stream);
	free(follower->lease_name);
	free(follower->labels);
	free(follower);
}
