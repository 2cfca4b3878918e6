#include "store.h"

#include "clock.h"
#include "ids.h"
#include "mem.h"
#include "msg_event.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define REPLIES        "replies:"
#define REPLIES_KEEP_S "3600"
#define STATES_MAX     256
#define EVENTS_KEEP_MS ((int64_t)24 * 3600 * 1000)

/* One store_pbx_state() that is not in Redis yet. */
struct state_job {
	struct state_job *next;
	char *pbx, *key, *host, *version, *owner, *detail, *envelope; /* owned */
	bool up;
	int64_t at_ms;
};

struct store {
	struct redis_link *link;
	void (*on_state)(bool up, const char *detail, void *context);
	void *context;
	struct state_job *first, **end;
	size_t count;
	bool sending; /* the first one is on its way */
};

/* ---- names ---- */

static const char *name(char *out, const char *prefix, const char *pbx)
{
	snprintf(out, STORE_KEY_MAX, "%s%s", prefix, pbx);
	return out;
}

const char *store_events_key(const char *pbx, char *out)
{
	return name(out, "events:ami:", pbx);
}

const char *store_actions_key(const char *pbx, char *out)
{
	return name(out, "actions:", pbx);
}

const char *store_lease_name(const char *pbx, char *out)
{
	return name(out, "gateway:", pbx);
}

/* ---- one answer, then gone ---- */

struct question {
	store_seen_fn *on_seen;
	store_owner_fn *on_owner;
	store_done_fn *on_done;
	void *context;
	int64_t seen_ms;
};

static struct question *question_new(void *context)
{
	struct question *question = mem_new(struct question);

	question->context = context;
	return question;
}

/* ---- when was it seen ---- */

/* [[id, [field, value]]]: the time is in the id. */
static void on_newest_entry(const redisReply *reply, void *context)
{
	struct question *question = context;

	if (reply == NULL || reply->type != REDIS_REPLY_ARRAY)
		question->seen_ms = -1;
	else if (reply->elements == 1 && reply->element[0]->type == REDIS_REPLY_ARRAY &&
		 reply->element[0]->elements >= 1)
		question->seen_ms = strtoll(reply->element[0]->element[0]->str, NULL, 10);
}

static void on_alive_at(const redisReply *reply, void *context)
{
	struct question *question = context;

	if (reply != NULL && reply->type == REDIS_REPLY_STRING && question->seen_ms >= 0) {
		int64_t alive_ms = strtoll(reply->str, NULL, 10);

		if (alive_ms > question->seen_ms)
			question->seen_ms = alive_ms;
	}
	question->on_seen(question->seen_ms, question->context);
	free(question);
}

void store_last_seen(struct store *store, const char *pbx, store_seen_fn *fn, void *context)
{
	struct question *question = question_new(context);
	char key[STORE_KEY_MAX];

	question->on_seen = fn;
	if (redis_link_command(store->link, on_newest_entry, question, "XREVRANGE %s + - COUNT 1",
			       store_events_key(pbx, key)) == 0 &&
	    redis_link_command(store->link, on_alive_at, question, "HGET pbx:%s aliveAt", pbx) == 0)
		return;
	fn(-1, context);
	free(question);
}

void store_alive(struct store *store, const char *pbx)
{
	(void)redis_link_command(store->link, NULL, NULL, "HSET pbx:%s aliveAt %" PRId64, pbx,
				 clock_wall_ms());
}

/* ---- who owns it ---- */

static void on_owner(const redisReply *reply, void *context)
{
	struct question *question = context;
	const char *owner = NULL;

	if (reply != NULL && reply->type == REDIS_REPLY_STRING)
		owner = reply->str;
	else if (reply != NULL && reply->type == REDIS_REPLY_NIL)
		owner = "";
	question->on_owner(owner, question->context);
	free(question);
}

void store_owner(struct store *store, const char *pbx, store_owner_fn *fn, void *context)
{
	struct question *question = question_new(context);

	question->on_owner = fn;
	if (redis_link_command(store->link, on_owner, question, "GET lease:gateway:%s", pbx) == 0)
		return;
	fn(NULL, context);
	free(question);
}

/* ---- the state of a PBX ---- */

static void free_job(struct state_job *job)
{
	free(job->pbx);
	free(job->key);
	free(job->host);
	free(job->version);
	free(job->owner);
	free(job->detail);
	free(job->envelope);
	free(job);
}

static void pop_job(struct store *store)
{
	struct state_job *job = store->first;

	store->first = job->next;
	if (store->first == NULL)
		store->end = &store->first;
	store->count--;
	free_job(job);
}

static void send_state(struct store *store);

static void on_state_stored(const redisReply *reply, void *context)
{
	struct store *store = context;

	store->sending = false;
	if (reply == NULL)
		return; /* sent again when the link is up */
	if (store->first != NULL)
		pop_job(store);
	send_state(store);
}

static void send_state(struct store *store)
{
	const struct state_job *job = store->first;
	struct redis_link *link = store->link;

	if (job == NULL || store->sending || !redis_link_is_up(link))
		return;
	(void)redis_link_command(link, NULL, NULL, "MULTI");
	(void)redis_link_command(link, NULL, NULL,
				 "HSET %s state %s sinceAt %" PRId64
				 " host %s version %s owner %s detail %s",
				 job->key, job->up ? "up" : "down", job->at_ms, job->host,
				 job->version, job->owner, job->detail);
	(void)redis_link_command(link, NULL, NULL, "XADD events:ami MINID ~ %" PRId64 " * e %s",
				 job->at_ms - EVENTS_KEEP_MS, job->envelope);
	(void)redis_link_command(link, NULL, NULL, "PUBLISH ami:events %s", job->envelope);
	store->sending = redis_link_command(link, on_state_stored, store, "EXEC") == 0;
}

static char *make_envelope(const struct pbx_state *state, const char *key, int64_t at_ms)
{
	const struct msg_event event = {.event_type = state->event_type,
					.pbx = state->pbx,
					.timestamp = at_ms,
					.data = {.text = state->data},
					.redis_key = key};
	struct buffer out = {0};
	struct json_writer writer = json_writer_init(&out);

	msg_event_write(&event, &writer);
	return buffer_take(&out, NULL);
}

void store_pbx_state(struct store *store, const struct pbx_state *state)
{
	struct state_job *job = mem_new(struct state_job);

	job->pbx = mem_strdup(state->pbx);
	job->key = mem_printf("pbx:%s", state->pbx);
	job->host = mem_strdup(state->host);
	job->version = mem_strdup(state->version);
	job->owner = mem_strdup(state->owner);
	job->detail = mem_strdup(state->detail);
	job->up = state->up;
	job->at_ms = clock_wall_ms();
	job->envelope = make_envelope(state, job->key, job->at_ms);
	if (store->count == STATES_MAX && !store->sending)
		pop_job(store);
	*store->end = job;
	store->end = &job->next;
	store->count++;
	send_state(store);
}

void store_forget_states(struct store *store, const char *pbx)
{
	struct state_job **at = &store->first;

	if (store->sending && *at != NULL)
		at = &(*at)->next;
	while (*at != NULL) {
		struct state_job *job = *at;

		if (strcmp(job->pbx, pbx) != 0) {
			at = &job->next;
			continue;
		}
		*at = job->next;
		store->count--;
		free_job(job);
	}
	store->end = at;
}

/* ---- replies ---- */

static void on_replied(const redisReply *reply, void *context)
{
	struct question *question = context;

	question->on_done(reply != NULL && reply->type == REDIS_REPLY_ARRAY, question->context);
	free(question);
}

static bool is_reply_stream(const char *reply_to)
{
	size_t prefix = sizeof(REPLIES) - 1;

	return strncmp(reply_to, REPLIES, prefix) == 0 && id_is_safe(reply_to + prefix, 120);
}

void store_reply(struct store *store, const char *pbx, const char *entry_id, const char *reply_to,
		 const char *reply, size_t len, store_done_fn *done, void *context)
{
	struct redis_link *link = store->link;
	struct question *question;
	char key[STORE_KEY_MAX];

	if (!redis_link_is_up(link)) {
		done(false, context);
		return;
	}
	question = question_new(context);
	question->on_done = done;
	(void)redis_link_command(link, NULL, NULL, "MULTI");
	if (is_reply_stream(reply_to)) {
		(void)redis_link_command(link, NULL, NULL, "XADD %s MAXLEN ~ 1000 * r %b", reply_to,
					 reply, len);
		(void)redis_link_command(link, NULL, NULL, "EXPIRE %s " REPLIES_KEEP_S, reply_to);
	}
	(void)redis_link_command(link, NULL, NULL, "XACK %s ami-gateway %s",
				 store_actions_key(pbx, key), entry_id);
	if (redis_link_command(link, on_replied, question, "EXEC") < 0)
		on_replied(NULL, question);
}

/* ---- life ---- */

static void on_up(void *context)
{
	struct store *store = context;

	store->on_state(true, NULL, store->context);
	send_state(store);
}

static void on_down(const char *reason, void *context)
{
	struct store *store = context;

	store->sending = false;
	store->on_state(false, reason, store->context);
}

struct store *store_open(uv_loop_t *loop, const struct redis_settings *settings,
			 void (*on_state)(bool up, const char *detail, void *context),
			 void *context)
{
	struct store *store = mem_new(struct store);
	const struct redis_link_hooks hooks = {on_up, on_down, store};

	store->on_state = on_state;
	store->context = context;
	store->end = &store->first;
	store->link = redis_link_open(loop, settings, "commands", &hooks);
	return store;
}

void store_close(struct store **_store)
{
	struct store *store = *_store;

	*_store = NULL;
	if (store == NULL)
		return;
	redis_link_close(&store->link);
	while (store->first != NULL)
		pop_job(store);
	free(store);
}

bool store_is_up(const struct store *store)
{
	return redis_link_is_up(store->link);
}

struct redis_link *store_link(struct store *store)
{
	return store->link;
}
