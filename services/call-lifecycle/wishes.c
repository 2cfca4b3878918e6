#include "wishes.h"

#include "agent_pause.h"
#include "ids.h"
#include "json.h"
#include "lease.h"
#include "log.h"
#include "loop.h"
#include "mem.h"
#include "store.h"
#include "stream_reader.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BATCH    50
#define BLOCK_MS 1000
#define RETRY_MS 3000

static const char *const streams[] = {"wishes:agent", NULL};

struct wishes {
	struct wishes_settings set;
	uv_loop_t *loop;
	struct redis_link *link;
	struct lease *lease;
	struct stream_reader *reader;
	struct timer *retry;
	bool asking;
	size_t waiting;              /* for Asterisk, of this batch */
	bool failed;                 /* Asterisk or Redis could not be reached */
	char upto[STORE_ID_MAX];     /* of the batch */
	char position[STORE_ID_MAX]; /* carried out */
};

static void begin(struct wishes *wishes);

static void forget(struct wishes *wishes)
{
	stream_reader_close(&wishes->reader);
}

static void on_retry(void *context)
{
	struct wishes *wishes = context;

	timer_stop(&wishes->retry);
	begin(wishes);
}

static void try_again(struct wishes *wishes)
{
	forget(wishes);
	if (wishes->retry == NULL)
		wishes->retry = timer_start(wishes->loop, RETRY_MS, 0, on_retry, wishes);
}

static void batch_done(struct wishes *wishes)
{
	if (wishes->failed) {
		try_again(wishes);
		return;
	}
	strcpy(wishes->position, wishes->upto);
	if (wishes->reader == NULL || store_wishes_done(wishes->link, wishes->position) < 0)
		return;
	stream_reader_next(wishes->reader);
}

/* Asterisk's own refusal is an answer: there is nothing to be tried again. */
static void on_answer(enum msg_ami_reply_outcome outcome, const char *message, void *context)
{
	struct wishes *wishes = context;

	if (outcome != MSG_AMI_REPLY_OUTCOME_SUCCESS)
		log_warn("an agent's wish was not carried out", log_str("reason", message));
	if (outcome == MSG_AMI_REPLY_OUTCOME_UNAVAILABLE ||
	    outcome == MSG_AMI_REPLY_OUTCOME_EXPIRED ||
	    outcome == MSG_AMI_REPLY_OUTCOME_OUTCOME_UNKNOWN)
		wishes->failed = true;
	if (--wishes->waiting == 0)
		batch_done(wishes);
}

static void carry_out(struct wishes *wishes, const cJSON *wish)
{
	struct agent_pause pause = {
		.extension = json_get_str(wish, "extension"),
		.paused = json_get_bool(wish, "paused", false),
		.reason = json_get_str(wish, "reason"),
		.by = json_get_str(wish, "by"),
		.request_id = json_get_str(wish, "requestId"),
	};

	if (pause.extension == NULL || !id_is_number(pause.extension))
		return;
	wishes->waiting++;
	agent_pause(wishes->link, wishes->set.commands, wishes->set.pbx, &pause, on_answer, wishes);
}

static bool comes_again(cJSON *const *batch, size_t count, size_t at)
{
	const char *extension = json_get_str(batch[at], "extension");

	for (size_t i = at + 1; extension != NULL && i < count; i++) {
		const char *other = json_get_str(batch[i], "extension");

		if (other != NULL && strcmp(other, extension) == 0)
			return true;
	}
	return false;
}

static void on_batch(const struct stream_entry *entries, size_t count, void *context)
{
	struct wishes *wishes = context;
	cJSON *batch[BATCH];
	const char *error;

	if (count > BATCH)
		count = BATCH;
	for (size_t i = 0; i < count; i++)
		batch[i] = json_parse(entries[i].data, entries[i].len, &error);
	snprintf(wishes->upto, sizeof(wishes->upto), "%s", entries[count - 1].id);
	wishes->failed = false;
	wishes->waiting = 1; /* until all are sent */
	for (size_t i = 0; i < count; i++)
		if (!comes_again(batch, count, i))
			carry_out(wishes, batch[i]);
	for (size_t i = 0; i < count; i++)
		cJSON_Delete(batch[i]);
	if (--wishes->waiting == 0)
		batch_done(wishes);
}

static void read_on(struct wishes *wishes)
{
	const char *const cursors[] = {wishes->position};
	const struct stream_reader_settings set = {
		.redis = wishes->set.redis,
		.streams = streams,
		.cursors = cursors,
		.batch_max = BATCH,
		.block_ms = BLOCK_MS,
		.on_batch = on_batch,
		.context = wishes,
	};

	wishes->reader = stream_reader_open(wishes->loop, &set);
}

static void on_position(const redisReply *reply, void *context)
{
	struct wishes *wishes = context;

	wishes->asking = false;
	if (reply == NULL || wishes->reader != NULL || !lease_is_held(wishes->lease))
		return;
	snprintf(wishes->position, sizeof(wishes->position), "%s",
		 reply->type == REDIS_REPLY_STRING ? reply->str : "0-0");
	read_on(wishes);
}

static void begin(struct wishes *wishes)
{
	if (wishes->lease == NULL || !lease_is_held(wishes->lease) || wishes->reader != NULL ||
	    wishes->asking || wishes->waiting > 0 || wishes->retry != NULL)
		return;
	wishes->asking = store_wishes_position(wishes->link, on_position, wishes) == 0;
}

static void on_up(void *context)
{
	begin(context);
}

static void on_acquired(int64_t token, void *context)
{
	(void)token;
	begin(context);
}

static void on_lost(const char *reason, void *context)
{
	(void)reason;
	forget(context);
}

struct wishes *wishes_open(uv_loop_t *loop, const struct wishes_settings *set)
{
	struct wishes *wishes = mem_new(struct wishes);
	const struct redis_link_hooks hooks = {on_up, NULL, wishes};
	const struct lease_hooks lease_hooks = {on_acquired, on_lost, wishes};

	wishes->set = *set;
	wishes->loop = loop;
	wishes->link = redis_link_open(loop, set->redis, "wishes", &hooks);
	wishes->lease = lease_open(loop, wishes->link, "wishes", set->instance, set->lease_ttl_ms,
				   &lease_hooks);
	return wishes;
}

void wishes_close(struct wishes **closed)
{
	struct wishes *wishes = *closed;

	*closed = NULL;
	if (wishes == NULL)
		return;
	forget(wishes);
	lease_close(&wishes->lease);
	redis_link_close(&wishes->link); /* answers what waits */
	timer_stop(&wishes->retry);
	free(wishes);
}
