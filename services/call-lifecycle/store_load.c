/* The state as the last commit left it. */
#include "store.h"

#include "mem.h"
#include "stream_reader.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Between them the loop does other things: the lease must be renewed meanwhile, however many calls
   there are. */
#define CALLS_AT_ONCE 100

struct store_load {
	struct redis_link *link;
	struct model *model; /* NULL: cancelled */
	char *pbx;
	store_load_fn *fn;
	void *context;
	struct store_loaded loaded;
	size_t waiting; /* replies */
	bool lost;
	char **ids; /* of the calls */
	size_t id_count, id_next;
	size_t calls_waiting; /* replies, of those that were asked for at once */
};

static void load_free(struct store_load *load)
{
	for (size_t i = 0; i < load->id_count; i++)
		free(load->ids[i]);
	free(load->ids);
	free(load->pbx);
	free(load);
}

static void finish(struct store_load *load)
{
	if (load->waiting > 0)
		return;
	if (load->model != NULL) {
		load->loaded.ok = !load->lost;
		if (load->loaded.ok)
			model_load_done(load->model);
		load->fn(&load->loaded, load->context);
	}
	load_free(load);
}

static bool arrived(struct store_load *load, const redisReply *reply, int type)
{
	load->waiting--;
	if (reply == NULL || reply->type == REDIS_REPLY_ERROR)
		load->lost = true;
	return load->model != NULL && !load->lost && reply->type == type;
}

static void on_touched(const redisReply *reply, void *context)
{
	struct store_load *load = context;

	(void)arrived(load, reply, REDIS_REPLY_INTEGER);
	finish(load);
}

static void on_call(const redisReply *reply, void *context);

static void ask_calls(struct store_load *load)
{
	while (load->model != NULL && !load->lost && load->id_next < load->id_count &&
	       load->calls_waiting < CALLS_AT_ONCE) {
		if (redis_link_command(load->link, on_call, load, "HGET call:%s model",
				       load->ids[load->id_next++]) < 0) {
			load->lost = true;
			return;
		}
		load->waiting++;
		load->calls_waiting++;
	}
}

static void on_call(const redisReply *reply, void *context)
{
	struct store_load *load = context;

	if (arrived(load, reply, REDIS_REPLY_STRING) &&
	    model_load_call(load->model, reply->str, reply->len) == 0)
		load->loaded.calls++;
	else
		load->loaded.broken++;
	if (--load->calls_waiting == 0)
		ask_calls(load);
	finish(load);
}

static void on_live(const redisReply *reply, void *context)
{
	struct store_load *load = context;

	if (arrived(load, reply, REDIS_REPLY_ARRAY)) {
		load->ids = mem_array(char *, reply->elements);
		while (load->id_count < reply->elements) {
			load->ids[load->id_count] = mem_strdup(reply->element[load->id_count]->str);
			load->id_count++;
		}
		ask_calls(load);
	}
	finish(load);
}

static void on_agents(const redisReply *reply, void *context)
{
	struct store_load *load = context;

	if (arrived(load, reply, REDIS_REPLY_ARRAY))
		for (size_t i = 0; i + 1 < reply->elements; i += 2)
			model_load_agent(load->model, reply->element[i]->str,
					 reply->element[i + 1]->str, reply->element[i + 1]->len);
	finish(load);
}

static void load_queue(struct model *model, const redisReply *reply)
{
	const char *name = NULL;

	for (size_t i = 0; i + 1 < reply->elements; i += 2)
		if (strcmp(reply->element[i]->str, "name") == 0)
			name = reply->element[i + 1]->str;
	for (size_t i = 0; name != NULL && i + 1 < reply->elements; i += 2)
		model_load_queue_field(model, name, reply->element[i]->str,
				       reply->element[i + 1]->str);
}

static void on_queue(const redisReply *reply, void *context)
{
	struct store_load *load = context;

	if (arrived(load, reply, REDIS_REPLY_ARRAY))
		load_queue(load->model, reply);
	finish(load);
}

static void on_queues(const redisReply *reply, void *context)
{
	struct store_load *load = context;

	if (arrived(load, reply, REDIS_REPLY_ARRAY))
		for (size_t i = 0; i < reply->elements && !load->lost; i++) {
			const redisReply *name = reply->element[i];

			if (redis_link_command(load->link, on_queue, load, "HGETALL queue:%b",
					       name->str, name->len) < 0)
				load->lost = true;
			else
				load->waiting++;
		}
	finish(load);
}

static void on_state(const redisReply *reply, void *context)
{
	struct store_load *load = context;

	if (arrived(load, reply, REDIS_REPLY_ARRAY) && reply->elements == 2) {
		const redisReply *id = reply->element[0], *state = reply->element[1];

		if (id->type == REDIS_REPLY_STRING)
			snprintf(load->loaded.applied_id, sizeof(load->loaded.applied_id), "%s",
				 id->str);
		if (state->type == REDIS_REPLY_STRING)
			(void)model_load(load->model, state->str, state->len);
	}
	finish(load);
}

int store_watch(struct redis_link *link, const char *pbx)
{
	return redis_link_command(link, NULL, NULL, "WATCH lifecycle:%s", pbx);
}

/* The value of a name in the answer to XINFO, or NULL. */
static const redisReply *info_of(const redisReply *info, const char *name)
{
	for (size_t i = 0; info->type == REDIS_REPLY_ARRAY && i + 1 < info->elements; i += 2)
		if (info->element[i]->type == REDIS_REPLY_STRING &&
		    strcmp(info->element[i]->str, name) == 0)
			return info->element[i + 1];
	return NULL;
}

/* The oldest entry that is left lies behind the last one that was applied; or none is left, and
   there was one. */
static bool is_trimmed(const redisReply *info, const char *applied_id)
{
	const redisReply *oldest = info_of(info, "first-entry");

	if (oldest != NULL && oldest->type == REDIS_REPLY_ARRAY && oldest->elements > 0)
		oldest = oldest->element[0];
	else
		oldest = info_of(info, "last-generated-id");
	return oldest != NULL && oldest->type == REDIS_REPLY_STRING &&
	       stream_id_compare(oldest->str, applied_id) > 0;
}

/* An error: there is no stream yet. */
static void on_source(const redisReply *reply, void *context)
{
	struct store_load *load = context;

	load->waiting--;
	if (reply == NULL)
		load->lost = true;
	else if (strcmp(load->loaded.applied_id, "0-0") != 0)
		load->loaded.missed = is_trimmed(reply, load->loaded.applied_id);
	finish(load);
}

struct store_load *store_load_start(struct redis_link *link, const char *pbx, const char *loader,
				    struct model *model, store_load_fn *fn, void *context)
{
	struct store_load *load;

	if (!redis_link_is_up(link))
		return NULL;
	load = mem_new(struct store_load);
	*load = (struct store_load){
		.link = link,
		.model = model,
		.pbx = mem_strdup(pbx),
		.fn = fn,
		.context = context,
	};
	strcpy(load->loaded.applied_id, "0-0");
	/* Changes the watched key, for others: see store_watch(). What this connection watched
	   before would refuse its own next transaction. */
	(void)redis_link_command(link, NULL, NULL, "UNWATCH");
	if (redis_link_command(link, on_touched, load, "HSET lifecycle:%s loader %s", pbx,
			       loader) == 0)
		load->waiting++;
	/* In this order: what belongs to no call comes before the calls. */
	if (redis_link_command(link, on_state, load, "HMGET lifecycle:%s appliedId model", pbx) ==
	    0)
		load->waiting++;
	if (redis_link_command(link, on_source, load, "XINFO STREAM events:ami:%s", pbx) == 0)
		load->waiting++;
	if (redis_link_command(link, on_agents, load, "HGETALL agents:%s", pbx) == 0)
		load->waiting++;
	if (redis_link_command(link, on_queues, load, "SMEMBERS queues:%s", pbx) == 0)
		load->waiting++;
	if (redis_link_command(link, on_live, load, "SMEMBERS calls:live:%s", pbx) == 0)
		load->waiting++;
	if (load->waiting == 6)
		return load;
	load->lost = true;
	if (load->waiting == 0) {
		load_free(load);
		return NULL;
	}
	return load;
}

void store_load_cancel(struct store_load **cancelled)
{
	struct store_load *load = *cancelled;

	*cancelled = NULL;
	if (load != NULL)
		load->model = NULL;
}
