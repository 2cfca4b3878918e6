#include "follower.h"

#include "dispatch.h"
#include "heard.h"
#include "lease.h"
#include "log.h"
#include "loop.h"
#include "mem.h"
#include "store.h"
#include "stream_reader.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define STREAMS_MAX 18 /* PBXS_MAX, calls, replies */
#define BATCH       500
#define BLOCK_MS    1000
#define RETRY_MS    200

#define PHONES_LETTER 'p' /* ids of phones' own begin with it, those of ours with t */

struct item {
	struct news news;
	struct item *next;
};

struct follower {
	uv_loop_t *loop;
	struct follower_settings set;
	struct lease *lease;
	struct redis_link *lease_link;
	struct stream_reader *reader;
	struct heard *heard;
	struct timer *retry;
	char *streams[STREAMS_MAX + 1];
	char positions[STREAMS_MAX][48];
	const char *cursors[STREAMS_MAX + 1];
	bool moved[STREAMS_MAX];
	size_t stream_count;
	struct item *first, **last;     /* of the batch, in order */
	struct item *held, **held_last; /* of calls: see take() */
	unsigned holds;                 /* answers that are awaited, and the owner */
	unsigned turn; /* counts leases: an answer of an earlier one is not heard */
	bool loading, closed;
};

/* An answer that is awaited outlives the lease, and perhaps the follower. */
struct step {
	struct follower *follower;
	unsigned turn;
	struct item *item; /* owned */
};

static void next(struct follower *follower);
static void load(struct follower *follower);

static void item_free(struct item *item)
{
	cJSON_Delete(item->news.tree);
	free(item);
}

static void release(struct follower *follower)
{
	if (--follower->holds > 0)
		return;
	for (size_t i = 0; i < follower->stream_count; i++)
		free(follower->streams[i]);
	free(follower);
}

static void items_free(struct item **first)
{
	while (*first != NULL) {
		struct item *item = *first;

		*first = item->next;
		item_free(item);
	}
}

static void forget(struct follower *follower)
{
	stream_reader_close(&follower->reader);
	heard_reading(follower->heard, false);
	follower->set.metrics->transfer_reading = 0;
	items_free(&follower->first);
	items_free(&follower->held);
	follower->last = &follower->first;
	follower->held_last = &follower->held;
	follower->turn++;
	follower->loading = false;
}

static void on_retry(void *context)
{
	struct follower *follower = context;

	timer_stop(&follower->retry);
	load(follower);
}

/* What is not stored is read again. */
static void start_again(struct follower *follower)
{
	forget(follower);
	if (follower->retry == NULL)
		follower->retry = timer_start(follower->loop, RETRY_MS, 0, on_retry, follower);
}

/* ---- one piece of news after the other ---- */

/* The item is the step's from now on; NULL: none. */
static struct step *step_new(struct follower *follower, struct item *item)
{
	struct step *step = mem_new(struct step);

	*step = (struct step){follower, follower->turn, item};
	follower->holds++;
	return step;
}

static bool is_wanted(const struct step *step)
{
	return !step->follower->closed && step->turn == step->follower->turn;
}

/* True when the answer is still wanted. */
static bool step_end(struct step *step)
{
	bool wanted = is_wanted(step);

	if (step->item != NULL)
		item_free(step->item);
	free(step);
	return wanted;
}

static void on_fed(enum engine_result result, const struct transfer *transfer, const char *other,
		   void *context)
{
	struct step *step = context;
	struct follower *follower = step->follower;

	(void)transfer;
	(void)other;
	if (step_end(step)) {
		if (result == ENGINE_UNAVAILABLE)
			start_again(follower);
		else
			next(follower);
	}
	release(follower);
}

static void on_transfer_of_call(const redisReply *reply, void *context)
{
	struct step *step = context;
	struct follower *follower = step->follower;
	struct engine *engine = follower->set.engine;
	bool known = reply != NULL && reply->type == REDIS_REPLY_STRING;

	if (known && is_wanted(step)) {
		if (step->item->news.kind == NEWS_CHECK && reply->str[0] == PHONES_LETTER)
			engine_check(engine, reply->str, ENGINE_CHECK_NEWS,
				     step->item->news.signal.at, on_fed, step);
		else
			engine_feed(engine, reply->str, &step->item->news.signal, NULL, on_fed,
				    step);
		return;
	}
	on_fed(reply != NULL ? ENGINE_NOT_FOUND : ENGINE_UNAVAILABLE, NULL, "", step);
}

/* ---- phones' own ---- */

/* What is said of it counts for the one that the call has, which may be older. */
static void on_phones_begun(enum engine_result result, const struct transfer *transfer,
			    const char *other, void *context)
{
	struct step *step = context;
	struct engine *engine = step->follower->set.engine;
	const char *id = result == ENGINE_DONE ? transfer->id : other;

	if (step->item->news.tells && is_wanted(step) &&
	    (result == ENGINE_DONE || result == ENGINE_CONFLICT))
		engine_feed(engine, id, &step->item->news.signal, NULL, on_fed, step);
	else
		on_fed(result, NULL, "", step);
}

/* The entry's id makes the transfer's: read twice, it is begun once. */
static void begin_phones(struct follower *follower, struct item *item)
{
	const struct news *news = &item->news;
	struct transfer transfer = {
		.mode = MODE_WATCHING,
		.kind = news->phones,
		.ring_s = follower->set.phones_ring_s + news->ring_s,
		.requested_at = news->signal.at,
	};

	snprintf(transfer.id, sizeof(transfer.id), "%c%.30s", PHONES_LETTER, news->entry_id);
	snprintf(transfer.call_id, sizeof(transfer.call_id), "%s", news->id);
	snprintf(transfer.pbx, sizeof(transfer.pbx), "%s", news->pbx);
	snprintf(transfer.by, sizeof(transfer.by), "%s", news->from);
	snprintf(transfer.customer, sizeof(transfer.customer), "%s", news->transferee);
	snprintf(transfer.target, sizeof(transfer.target), "%s", news->to);
	engine_begin(follower->set.engine, &transfer, news->begins, on_phones_begun,
		     step_new(follower, item));
}

static void handle(struct follower *follower, struct item *item)
{
	const struct news *news = &item->news;
	struct step *step;

	switch (news->kind) {
	case NEWS_PHONES:
		begin_phones(follower, item);
		break;
	case NEWS_SIGNAL:
		engine_feed(follower->set.engine, news->id, &news->signal, NULL, on_fed,
			    step_new(follower, item));
		break;
	default:
		step = step_new(follower, item);
		if (store_of_call(follower->set.link, news->id, on_transfer_of_call, step) < 0)
			on_fed(ENGINE_UNAVAILABLE, NULL, "", step);
	}
}

/* ---- batches ---- */

static void store_positions_moved(struct follower *follower)
{
	if (follower->held != NULL)
		return; /* they would be missed */
	for (size_t i = 0; i < follower->stream_count; i++) {
		if (follower->moved[i])
			(void)store_position(follower->set.link, follower->streams[i],
					     follower->positions[i], NULL, NULL);
		follower->moved[i] = false;
	}
}

static void next(struct follower *follower)
{
	struct item *item = follower->first;

	if (item == NULL) {
		store_positions_moved(follower);
		heard_done(follower->heard);
		stream_reader_next(follower->reader);
		return;
	}
	follower->first = item->next;
	if (follower->first == NULL)
		follower->last = &follower->first;
	handle(follower, item);
}

static void remember(struct follower *follower, const struct stream_entry *entry)
{
	for (size_t i = 0; i < follower->stream_count; i++)
		if (strcmp(follower->streams[i], entry->stream) == 0) {
			snprintf(follower->positions[i], sizeof(follower->positions[i]), "%s",
				 entry->id);
			follower->moved[i] = true;
		}
}

/* What is said of calls follows from entries of Asterisk's streams, which are read beside it: it is
   heard after them. */
static void add(struct follower *follower, struct item *item, bool of_call)
{
	struct item ***last = of_call ? &follower->held_last : &follower->last;

	**last = item;
	*last = &item->next;
}

static void take(struct follower *follower, const struct stream_entry *entry)
{
	struct item *item = mem_new(struct item);

	remember(follower, entry);
	dispatch(entry, &item->news);
	snprintf(item->news.entry_id, sizeof(item->news.entry_id), "%s", entry->id);
	if (item->news.signal.entry_id[0] != '\0')
		item->news.signal.entry_id = item->news.entry_id;
	if (item->news.kind == NEWS_CHECK_ALL)
		deadlines_check_all(follower->set.deadlines);
	if (item->news.kind == NEWS_NONE || item->news.kind == NEWS_CHECK_ALL)
		item_free(item);
	else
		add(follower, item, strcmp(entry->stream, STORE_CALL_EVENT) == 0);
}

/* Some stream had more than the batch took, beside this one (NULL: any). */
static bool is_cut(const struct stream_entry *entries, size_t count, const char *beside)
{
	size_t same = 0;

	for (size_t i = 0; i < count; i++) {
		same = i > 0 && strcmp(entries[i].stream, entries[i - 1].stream) == 0 ? same + 1
										      : 1;
		if (same == BATCH && (beside == NULL || strcmp(entries[i].stream, beside) != 0))
			return true;
	}
	return false;
}

static void on_batch(const struct stream_entry *entries, size_t count, void *context)
{
	struct follower *follower = context;

	heard_batch(follower->heard, !is_cut(entries, count, NULL));
	for (size_t i = 0; i < count; i++)
		take(follower, &entries[i]);
	/* What calls say may be ahead of what was cut. */
	if (!is_cut(entries, count, STORE_CALL_EVENT) && follower->held != NULL) {
		*follower->last = follower->held;
		follower->last = follower->held_last;
		follower->held = NULL;
		follower->held_last = &follower->held;
	}
	next(follower);
}

/* ---- beginning to read ---- */

/* Nothing stored: from the oldest entry that is kept, for a transfer may be under way. */
static void read_on(struct follower *follower, const redisReply *positions)
{
	const struct stream_reader_settings set = {
		.redis = follower->set.redis,
		.streams = (const char *const *)follower->streams,
		.cursors = follower->cursors,
		.batch_max = BATCH,
		.block_ms = BLOCK_MS,
		.on_batch = on_batch,
		.context = follower,
	};

	follower->loading = false;
	for (size_t i = 0; i < follower->stream_count; i++) {
		const char *id = positions->element[i]->str;

		snprintf(follower->positions[i], sizeof(follower->positions[i]), "%s",
			 id != NULL ? id : "0-0");
		follower->cursors[i] = follower->positions[i];
	}
	follower->reader = stream_reader_open(follower->loop, &set);
	heard_reading(follower->heard, true);
	follower->set.metrics->transfer_reading = 1;
	deadlines_check_all(follower->set.deadlines);
}

static void on_positions(const redisReply *reply, void *context)
{
	struct step *step = context;
	struct follower *follower = step->follower;
	bool ok = reply != NULL && reply->type == REDIS_REPLY_ARRAY &&
		  reply->elements == follower->stream_count;

	if (step_end(step)) {
		if (ok)
			read_on(follower, reply);
		else
			start_again(follower);
	}
	release(follower);
}

static void load(struct follower *follower)
{
	struct step *step;

	if (follower->loading || follower->reader != NULL || !lease_is_held(follower->lease) ||
	    !redis_link_is_up(follower->set.link))
		return;
	follower->loading = true;
	step = step_new(follower, NULL);
	if (store_positions(follower->set.link, (const char *const *)follower->streams,
			    follower->stream_count, on_positions, step) < 0)
		on_positions(NULL, step);
}

void follower_up(struct follower *follower)
{
	load(follower);
}

static void on_acquired(int64_t token, void *context)
{
	(void)token;
	load(context);
}

static void on_lost(const char *reason, void *context)
{
	log_warn("another instance reads on", log_str("reason", reason));
	forget(context);
}

struct follower *follower_open(uv_loop_t *loop, const struct follower_settings *set)
{
	struct follower *follower = mem_new(struct follower);
	const struct lease_hooks hooks = {on_acquired, on_lost, follower};

	follower->loop = loop;
	follower->set = *set;
	follower->holds = 1;
	follower->last = &follower->first;
	follower->held_last = &follower->held;
	follower->streams[follower->stream_count++] = mem_strdup(STORE_REPLIES);
	follower->streams[follower->stream_count++] = mem_strdup(STORE_CALL_EVENT);
	for (size_t i = 0; i < set->pbx_count && follower->stream_count < STREAMS_MAX; i++)
		follower->streams[follower->stream_count++] = store_source(set->pbxs[i]);
	follower->heard = heard_open(loop, set->link);
	follower->lease_link = redis_link_open(loop, set->redis, "lease", NULL);
	follower->lease = lease_open(loop, follower->lease_link, STORE_LEASE, set->instance,
				     set->lease_ttl_ms, &hooks);
	return follower;
}

bool follower_is_reading(const struct follower *follower)
{
	return follower->reader != NULL;
}

void follower_close(struct follower **_follower)
{
	struct follower *follower = *_follower;

	*_follower = NULL;
	if (follower == NULL)
		return;
	follower->closed = true;
	timer_stop(&follower->retry);
	forget(follower);
	heard_close(&follower->heard);
	lease_close(&follower->lease);
	redis_link_close(&follower->lease_link);
	release(follower);
}
