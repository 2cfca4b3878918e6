/* What clients left behind for when they come back: see store.h. */
#include "clock.h"
#include "mem.h"
#include "positions.h"
#include "store.h"

#include <stdio.h>
#include <stdlib.h>

#define KEPT_S "86400" /* as long as the events themselves */

void store_acks_save(struct redis_link *link, const char *user_id, const char *name,
		     const struct positions *positions)
{
	char id[ENTRY_ID_TEXT_MAX];

	for (enum topic topic = 0; topic < TOPIC_COUNT; topic++) {
		if ((positions->topics & topic_bit(topic)) != 0)
			redis_link_command(link, NULL, NULL, "HSET cache:acks:%s:%s %s %s", user_id,
					   name, topic_name(topic),
					   entry_id_format(positions->at[topic], id));
	}
	redis_link_command(link, NULL, NULL, "EXPIRE cache:acks:%s:%s " KEPT_S, user_id, name);
}

struct acks_query {
	store_acks_fn *fn;
	void *context;
};

static void read_one(const redisReply *name, const redisReply *value, struct positions *positions)
{
	enum topic topic;
	struct entry_id id;

	if (name->type != REDIS_REPLY_STRING || value->type != REDIS_REPLY_STRING ||
	    !topic_parse(name->str, &topic) || !entry_id_parse(value->str, &id))
		return;
	positions->topics |= topic_bit(topic);
	positions->at[topic] = id;
}

static void on_acks(const redisReply *reply, void *context)
{
	struct acks_query *query = context;
	struct positions positions = {0};
	bool answered = reply != NULL && reply->type == REDIS_REPLY_ARRAY;

	for (size_t i = 0; answered && i + 1 < reply->elements; i += 2)
		read_one(reply->element[i], reply->element[i + 1], &positions);
	query->fn(answered ? &positions : NULL, query->context);
	free(query);
}

void store_acks_load(struct redis_link *link, const char *user_id, const char *name,
		     store_acks_fn *fn, void *context)
{
	struct acks_query *query = mem_new(struct acks_query);

	*query = (struct acks_query){fn, context};
	if (redis_link_command(link, on_acks, query, "HGETALL cache:acks:%s:%s", user_id, name) ==
	    0)
		return;
	free(query);
	fn(NULL, context);
}

struct rooms_query {
	store_rooms_fn *fn;
	void *context;
};

void store_rooms_save(struct redis_link *link, const char *sid, const char *json, size_t len)
{
	redis_link_command(link, NULL, NULL, "SET cache:rooms:%s %b EX " KEPT_S, sid, json, len);
}

static void on_rooms(const redisReply *reply, void *context)
{
	struct rooms_query *query = context;
	bool found = reply != NULL && reply->type == REDIS_REPLY_STRING;

	query->fn(found ? reply->str : "", found ? (size_t)reply->len : 0, query->context);
	free(query);
}

void store_rooms_load(struct redis_link *link, const char *sid, store_rooms_fn *fn, void *context)
{
	struct rooms_query *query = mem_new(struct rooms_query);

	*query = (struct rooms_query){fn, context};
	if (redis_link_command(link, on_rooms, query, "GET cache:rooms:%s", sid) == 0)
		return;
	free(query);
	fn("", 0, context);
}

void store_sockets(struct redis_link *link, const char *const *extensions, size_t count)
{
	const char *argv[3 + 2 * STORE_SOCKETS_MAX] = {"ZADD", "agents:sockets", "GT"};
	int argc = 3;
	char now[24];

	if (count == 0)
		return;
	snprintf(now, sizeof(now), "%lld", (long long)clock_wall_ms());
	for (size_t i = 0; i < count && i < STORE_SOCKETS_MAX; i++) {
		argv[argc++] = now;
		argv[argc++] = extensions[i];
	}
	redis_link_argv(link, NULL, NULL, argc, argv, NULL);
}
