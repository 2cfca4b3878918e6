#include "engine.h"

#include "call.h"
#include "clock.h"
#include "heard.h"
#include "log.h"
#include "mem.h"
#include "store.h"
#include "stream_id.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TRIES_MAX 8
/* A PBX that is away may have done what it was asked, and cannot be asked: time stands still. */
#define AWAY_STEP_MS 5000
#define AWAY_MAX_MS  600000
#define HEAR_STEP_MS 500

struct engine {
	struct redis_link *link;
	const struct limits *limits;
	struct compose_settings compose;
	struct transfer_metrics *metrics;
};

struct job {
	struct engine *engine;
	char id[TRANSFER_ID_MAX];
	struct signal signal;
	char why[40], cause[12], channel[TRANSFER_CHANNEL], party[TRANSFER_PARTY], entry_id[48];
	struct transfer transfer;
	unsigned tries;
	bool check; /* the call is looked at first */
	enum engine_check why_check;
	int64_t check_at; /* of what is looked at, 0: now */
	bool fired;       /* its deadline is what is decided on */
	bool pbx_is_up;   /* of a check */
	bool is_heard;    /* of a check: the streams have nothing more to tell */
	bool call_is_old; /* of a check: the transfer has heard what the call does not know yet */
	bool call_tells;  /* of a check: signal is what the call says */
	engine_may_fn *may;
	engine_done_fn *done;
	void *context;
};

struct engine *engine_new(struct redis_link *link, const struct limits *limits,
			  const struct compose_settings *compose, struct transfer_metrics *metrics)
{
	struct engine *engine = mem_new(struct engine);

	engine->link = link;
	engine->limits = limits;
	engine->compose = *compose;
	engine->metrics = metrics;
	return engine;
}

void engine_free(struct engine **engine)
{
	free(*engine);
	*engine = NULL;
}

static void finish(struct job *job, enum engine_result result, const char *other)
{
	bool known = result != ENGINE_NOT_FOUND && result != ENGINE_UNAVAILABLE;

	if (job->done != NULL)
		job->done(result, known ? &job->transfer : NULL, other, job->context);
	free(job);
}

static void load(struct job *job);

/* What is stored is counted, by whoever stored it. */
static void count(const struct job *job)
{
	struct transfer_metrics *metrics = job->engine->metrics;
	uint64_t *const ends[STATES] = {
		[STATE_COMPLETED] = &metrics->transfer_completed_total,
		[STATE_FAILED] = &metrics->transfer_failed_total,
		[STATE_CANCELLED] = &metrics->transfer_cancelled_total,
		[STATE_ROLLED_BACK] = &metrics->transfer_rolled_back_total,
		[STATE_ABANDONED] = &metrics->transfer_abandoned_total,
	};

	if (ends[job->transfer.state] != NULL)
		++*ends[job->transfer.state];
	if (job->fired)
		metrics->transfer_deadlines_total++;
	if (job->transfer.version == 1 && job->transfer.mode == MODE_WATCHING)
		metrics->transfer_phones_total++;
	else if (job->transfer.version == 1)
		metrics->transfer_begun_total++;
}

static void on_stored(enum store_result result, const char *other, void *context)
{
	struct job *job = context;

	if (result == STORE_OK)
		count(job);
	else if (result == STORE_CONFLICT)
		job->engine->metrics->transfer_conflicts_total++;
	if (result == STORE_OK)
		finish(job, ENGINE_DONE, "");
	else if (result == STORE_UNAVAILABLE)
		finish(job, ENGINE_UNAVAILABLE, "");
	else if (job->transfer.version == 1)
		finish(job, ENGINE_CONFLICT, other);
	else if (++job->tries < TRIES_MAX)
		load(job);
	else
		finish(job, ENGINE_UNAVAILABLE, "");
}

static void store(struct job *job, const char *const *types, size_t count,
		  const struct actions *actions)
{
	struct buffer events[DECISION_EVENTS] = {0};
	struct store_change change = {&job->transfer, events, count, actions};
	struct redis_link *link = job->engine->link;

	job->transfer.version++;
	for (size_t i = 0; i < count; i++)
		transfer_event(&job->transfer, types[i],
			       job->signal.at != 0 ? job->signal.at : clock_wall_ms(), &events[i]);
	store_commit(link, &change, on_stored, job);
	for (size_t i = 0; i < count; i++)
		buffer_free(&events[i]);
}

static size_t count_events(const struct decision *decision)
{
	size_t count = 0;

	while (count < DECISION_EVENTS && decision->events[count] != NULL)
		count++;
	return count;
}

static void log_change(const struct job *job, enum transfer_state before,
		       const struct decision *decision)
{
	const struct transfer *transfer = &job->transfer;

	if (transfer->state == STATE_FAILED && before == STATE_FALLING_BACK)
		log_error("a customer could not be brought back", log_str("transfer_id", job->id),
			  log_str("call_id", transfer->call_id));
	if (before != transfer->state || decision->effect != EFFECT_NONE)
		log_info("transfer", log_str("transfer_id", job->id),
			 log_str("call_id", transfer->call_id),
			 log_str("on", input_name(job->signal.input)),
			 log_str("from", state_name(before)),
			 log_str("to", state_name(transfer->state)),
			 log_str("effect", effect_name(decision->effect)),
			 log_str("reason", transfer->reason));
}

static void apply(struct job *job)
{
	enum transfer_state before = job->transfer.state;
	struct decision decision;
	struct actions actions;

	decide(&job->transfer, &job->signal, job->engine->limits, clock_wall_ms(), &decision);
	if (decision.refused) {
		finish(job, state_is_over(before) ? ENGINE_OVER : ENGINE_REFUSED, "");
		return;
	}
	if (!decision.changed) {
		finish(job, ENGINE_IGNORED, "");
		return;
	}
	log_change(job, before, &decision);
	compose_effect(&job->transfer, decision.effect, &job->engine->compose, &actions);
	store(job, decision.events, count_events(&decision), &actions);
	actions_free(&actions);
}

/* ---- a check ---- */

/* Nothing is decided: the deadline is put off. */
static void put_off(struct job *job, int64_t ms)
{
	const struct actions none = {0};

	job->transfer.deadline_at = clock_wall_ms() + ms;
	store(job, NULL, 0, &none);
}

/* How long a phone's own may stay as it is. */
static int64_t patience(const struct job *job)
{
	const struct transfer *transfer = &job->transfer;

	return transfer->state == STATE_ANSWERED ? job->engine->limits->consult_ms
						 : transfer->ring_s * 1000;
}

/* What the call says may be what the streams are still to tell, and better. */
static bool is_ahead(const struct job *job, int64_t now)
{
	return !job->is_heard && job->why_check != ENGINE_CHECK_NEWS &&
	       now - job->transfer.state_at < AWAY_MAX_MS;
}

static void decide_check(struct job *job)
{
	const struct transfer *transfer = &job->transfer;
	int64_t now = clock_wall_ms();
	bool is_due = job->why_check == ENGINE_CHECK_DEADLINE && transfer->deadline_at != 0 &&
		      transfer->deadline_at <= now;

	job->signal.at = job->check_at != 0 ? job->check_at : now;
	job->fired = false;
	if (is_ahead(job, now)) {
		if (is_due)
			put_off(job, HEAR_STEP_MS);
		else
			finish(job, ENGINE_IGNORED, "");
	} else if (job->call_tells) {
		apply(job);
	} else if (!is_due) {
		finish(job, ENGINE_IGNORED, "");
	} else if (!job->pbx_is_up && now - transfer->state_at < AWAY_MAX_MS) {
		put_off(job, AWAY_STEP_MS);
	} else if (transfer->mode == MODE_WATCHING && now - transfer->state_at < patience(job)) {
		put_off(job, DECIDE_WATCH_MS);
	} else {
		job->signal.input = INPUT_DEADLINE;
		job->fired = true;
		apply(job);
	}
}

/* Of a call that has changed only a return counts: all else is told by events of its own. */
static bool ask_call(struct job *job, const struct call *call)
{
	bool news = job->why_check == ENGINE_CHECK_NEWS, tells;

	if (news && call_has_ended(call)) {
		job->signal.input = INPUT_RETURNED;
		return call_came_together(call);
	}
	tells = call_tells(call, &job->transfer, &job->signal.input);
	return tells && (!news || job->signal.input == INPUT_RETURNED);
}

static void on_call(const redisReply *reply, void *context)
{
	struct job *job = context;
	struct call call;

	if (reply == NULL || reply->type != REDIS_REPLY_ARRAY) {
		finish(job, ENGINE_UNAVAILABLE, "");
		return;
	}
	job->call_tells = false;
	if (call_read(&call, reply)) {
		job->call_tells = !job->call_is_old && ask_call(job, &call);
		snprintf(job->why, sizeof(job->why), "%s",
			 job->transfer.kind == KIND_PHONE_ATTENDED ? call_why_returned(&call) : "");
		call_free(&call);
	}
	decide_check(job);
}

static void on_pbx(const redisReply *reply, void *context)
{
	struct job *job = context;

	job->pbx_is_up =
		reply != NULL && reply->type == REDIS_REPLY_STRING && strcmp(reply->str, "up") == 0;
}

static void on_heard(const redisReply *reply, void *context)
{
	struct job *job = context;

	job->is_heard = heard_is_recent(reply, clock_wall_ms());
}

static void on_applied(const redisReply *reply, void *context)
{
	struct job *job = context;

	job->call_is_old = reply != NULL && reply->type == REDIS_REPLY_STRING &&
			   job->transfer.applied_id[0] != '\0' &&
			   stream_id_order(stream_id_parse(reply->str),
					   stream_id_parse(job->transfer.applied_id)) < 0;
}

static void look_at_call(struct job *job)
{
	struct redis_link *link = job->engine->link;

	if (store_pbx(link, job->transfer.pbx, on_pbx, job) < 0 ||
	    store_heard(link, on_heard, job) < 0 ||
	    store_applied(link, job->transfer.pbx, on_applied, job) < 0 ||
	    store_call(link, job->transfer.call_id, on_call, job) < 0)
		finish(job, ENGINE_UNAVAILABLE, "");
}

/* ---- loading ---- */

static void on_loaded(const redisReply *reply, void *context)
{
	struct job *job = context;

	if (reply == NULL || reply->type == REDIS_REPLY_ERROR)
		finish(job, ENGINE_UNAVAILABLE, "");
	else if (!transfer_read(&job->transfer, reply))
		finish(job, ENGINE_NOT_FOUND, "");
	else if (job->may != NULL && !job->may(&job->transfer, job->context))
		finish(job, ENGINE_FORBIDDEN, "");
	else if (job->check && state_is_over(job->transfer.state))
		finish(job, ENGINE_IGNORED, "");
	else if (job->check)
		look_at_call(job);
	else
		apply(job);
}

static void load(struct job *job)
{
	if (store_get(job->engine->link, job->id, on_loaded, job) < 0)
		finish(job, ENGINE_UNAVAILABLE, "");
}

static void point_to_copies(struct job *job)
{
	job->signal.why = job->why;
	job->signal.cause = job->cause;
	job->signal.channel = job->channel;
	job->signal.party = job->party;
	job->signal.entry_id = job->entry_id;
}

static struct job *job_new(struct engine *engine, const char *id, engine_done_fn *done,
			   void *context)
{
	struct job *job = mem_new(struct job);

	job->engine = engine;
	snprintf(job->id, sizeof(job->id), "%s", id);
	point_to_copies(job);
	job->done = done;
	job->context = context;
	return job;
}

void engine_feed(struct engine *engine, const char *id, const struct signal *signal,
		 engine_may_fn *may, engine_done_fn *done, void *context)
{
	struct job *job = job_new(engine, id, done, context);

	snprintf(job->why, sizeof(job->why), "%s", signal->why);
	snprintf(job->cause, sizeof(job->cause), "%s", signal->cause);
	snprintf(job->channel, sizeof(job->channel), "%s", signal->channel);
	snprintf(job->party, sizeof(job->party), "%s", signal->party);
	snprintf(job->entry_id, sizeof(job->entry_id), "%s", signal->entry_id);
	job->signal = *signal;
	point_to_copies(job);
	job->may = may;
	load(job);
}

void engine_check(struct engine *engine, const char *id, enum engine_check why, int64_t at,
		  engine_done_fn *done, void *context)
{
	struct job *job = job_new(engine, id, done, context);

	job->check = true;
	job->why_check = why;
	job->check_at = at;
	load(job);
}

void engine_begin(struct engine *engine, const struct transfer *transfer, enum transfer_state state,
		  engine_done_fn *done, void *context)
{
	static const char *const types[] = {"transfer:requested"};
	struct job *job = job_new(engine, transfer->id, done, context);
	struct actions actions = {0};

	job->transfer = *transfer;
	job->signal.at = transfer->requested_at;
	decide_begin(&job->transfer, state, engine->limits, clock_wall_ms());
	if (job->transfer.mode != MODE_WATCHING &&
	    compose_begin(&job->transfer, &engine->compose, &actions) < 0) {
		finish(job, ENGINE_TOO_LONG, "");
		return;
	}
	store(job, types, 1, &actions);
	actions_free(&actions);
}
