/* Webhooks: see store_webhook.h. */
#include "store_webhook.h"

#include "clock.h"
#include "mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DEAD_MAX "10000" /* dead letters that are kept of one webhook */

/* ---- reading ---- */

static void copy_text(char *out, size_t size, const redisReply *value)
{
	snprintf(out, size, "%s", value->str);
}

static void read_position(struct positions *positions, const char *topic_text, const char *value)
{
	enum topic topic;
	struct entry_id id;

	if (!topic_parse(topic_text, &topic) || !entry_id_parse(value, &id))
		return;
	positions->topics |= topic_bit(topic);
	positions->at[topic] = id;
}

static void read_number(struct webhook *webhook, const char *name, const char *value)
{
	const struct {
		const char *name;
		int64_t *number;
	} numbers[] = {
		{"createdAt", &webhook->created_at_ms}, {"lastAt", &webhook->last_at_ms},
		{"revision", &webhook->revision},       {"delivered", &webhook->delivered},
		{"failed", &webhook->failed},           {"dead", &webhook->dead},
	};

	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		if (strcmp(numbers[i].name, name) == 0)
			*numbers[i].number = strtoll(value, NULL, 10);
	}
}

static void read_field(struct webhook *webhook, const char *name, const redisReply *value)
{
	const char *error;

	if (strcmp(name, "url") == 0)
		copy_text(webhook->url, sizeof(webhook->url), value);
	else if (strcmp(name, "secret") == 0)
		copy_text(webhook->secret, sizeof(webhook->secret), value);
	else if (strcmp(name, "description") == 0)
		copy_text(webhook->description, sizeof(webhook->description), value);
	else if (strcmp(name, "createdBy") == 0)
		copy_text(webhook->created_by, sizeof(webhook->created_by), value);
	else if (strcmp(name, "lastError") == 0)
		copy_text(webhook->last_error, sizeof(webhook->last_error), value);
	else if (strcmp(name, "enabled") == 0)
		webhook->enabled = strcmp(value->str, "1") == 0;
	else if (strcmp(name, "replayDead") == 0)
		webhook->replay_dead = true;
	else if (strcmp(name, "filter") == 0 && webhook->filter == NULL)
		webhook->filter = json_parse(value->str, (size_t)value->len, &error);
	else if (strncmp(name, "at:", 3) == 0)
		read_position(&webhook->at, name + 3, value->str);
	else if (strncmp(name, "replay:", 7) == 0)
		read_position(&webhook->replay, name + 7, value->str);
	else
		read_number(webhook, name, value->str);
}

static bool read_webhook(const redisReply *reply, const char *id, struct webhook *webhook_r)
{
	*webhook_r = (struct webhook){0};
	snprintf(webhook_r->id, sizeof(webhook_r->id), "%s", id);
	if (reply->type != REDIS_REPLY_ARRAY)
		return false;
	for (size_t i = 0; i + 1 < reply->elements; i += 2)
		read_field(webhook_r, reply->element[i]->str, reply->element[i + 1]);
	if (webhook_r->url[0] != '\0' && cJSON_IsObject(webhook_r->filter))
		return true;
	webhook_clear(webhook_r);
	return false;
}

struct webhooks_query {
	store_webhooks_fn *fn;
	void *context;
	char id[24]; /* of one; "": all */
};

static void end_query(struct webhooks_query *query, struct webhook *webhooks, size_t count)
{
	query->fn(webhooks, count, query->context);
	for (size_t i = 0; i < count; i++)
		webhook_clear(&webhooks[i]);
	free(query);
}

/* [id, hash, id, hash, ...] */
static void on_webhooks(const redisReply *reply, void *context)
{
	static struct webhook webhooks[STORE_WEBHOOKS_MAX];
	size_t count = 0;

	if (reply == NULL || reply->type != REDIS_REPLY_ARRAY) {
		end_query(context, NULL, 0);
		return;
	}
	for (size_t i = 0; i + 1 < reply->elements && count < STORE_WEBHOOKS_MAX; i += 2)
		count += read_webhook(reply->element[i + 1], reply->element[i]->str,
				      &webhooks[count]);
	end_query(context, webhooks, count);
}

static const char all_script[] =
	"local out = {}\n"
	"for _, id in ipairs(redis.call('SMEMBERS', 'webhooks')) do\n"
	"  out[#out + 1] = id out[#out + 1] = redis.call('HGETALL', 'webhook:' .. id)\n"
	"end\n"
	"return out\n";

void store_webhooks(struct redis_link *link, store_webhooks_fn *fn, void *context)
{
	struct webhooks_query *query = mem_new(struct webhooks_query);

	*query = (struct webhooks_query){.fn = fn, .context = context};
	if (redis_link_command(link, on_webhooks, query, "EVAL %s 0", all_script) < 0)
		end_query(query, NULL, 0);
}

static void on_webhook(const redisReply *reply, void *context)
{
	struct webhooks_query *query = context;
	struct webhook webhook;

	if (reply == NULL)
		end_query(query, NULL, 0);
	else
		end_query(query, &webhook, read_webhook(reply, query->id, &webhook));
}

void store_webhook(struct redis_link *link, const char *id, store_webhooks_fn *fn, void *context)
{
	struct webhooks_query *query = mem_new(struct webhooks_query);

	*query = (struct webhooks_query){.fn = fn, .context = context};
	snprintf(query->id, sizeof(query->id), "%s", id);
	if (redis_link_command(link, on_webhook, query, "HGETALL webhook:%s", id) < 0)
		end_query(query, NULL, 0);
}

/* ---- what REST says ---- */

struct done_query {
	store_done_fn *fn;
	void *context;
};

static void on_done(const redisReply *reply, void *context)
{
	struct done_query *query = context;

	query->fn(reply != NULL && reply->type != REDIS_REPLY_ERROR, query->context);
	free(query);
}

static struct done_query *done_new(store_done_fn *fn, void *context)
{
	struct done_query *query = mem_new(struct done_query);

	*query = (struct done_query){fn, context};
	return query;
}

static void done_now(struct done_query *query, int status)
{
	if (status < 0)
		on_done(NULL, query);
}

/* A hash that was removed meanwhile must not come back by it. */
static const char move_script[] = "if redis.call('EXISTS', KEYS[1]) == 1 then\n"
				  "  return redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])\n"
				  "end\n";

static void save_positions(struct redis_link *link, const char *id, const char *kind,
			   const struct positions *positions)
{
	char text[ENTRY_ID_TEXT_MAX];

	for (enum topic topic = 0; topic < TOPIC_COUNT; topic++) {
		if ((positions->topics & topic_bit(topic)) != 0)
			redis_link_command(link, NULL, NULL, "EVAL %s 1 webhook:%s %s:%s %s",
					   move_script, id, kind, topic_name(topic),
					   entry_id_format(positions->at[topic], text));
	}
}

void store_webhook_save(struct redis_link *link, const struct webhook *webhook, bool created,
			store_done_fn *fn, void *context)
{
	struct done_query *query = done_new(fn, context);
	char *filter = cJSON_PrintUnformatted(webhook->filter);

	redis_link_command(link, NULL, NULL,
			   "HSET webhook:%s url %s secret %s description %s enabled %s filter %s "
			   "createdBy %s createdAt %lld",
			   webhook->id, webhook->url, webhook->secret, webhook->description,
			   webhook->enabled ? "1" : "0", filter, webhook->created_by,
			   (long long)webhook->created_at_ms);
	if (created)
		save_positions(link, webhook->id, "at", &webhook->at);
	redis_link_command(link, NULL, NULL, "HINCRBY webhook:%s revision 1", webhook->id);
	done_now(query, redis_link_command(link, on_done, query, "SADD webhooks %s", webhook->id));
	cJSON_free(filter);
}

void store_webhook_remove(struct redis_link *link, const char *id, store_done_fn *fn, void *context)
{
	struct done_query *query = done_new(fn, context);

	redis_link_command(link, NULL, NULL, "SREM webhooks %s", id);
	done_now(query, redis_link_command(link, on_done, query, "DEL webhook:%s webhook:dead:%s",
					   id, id));
}

void store_webhook_replay(struct redis_link *link, const char *id, const struct positions *to,
			  bool dead, store_done_fn *fn, void *context)
{
	struct done_query *query = done_new(fn, context);

	save_positions(link, id, "replay", to);
	if (dead)
		redis_link_command(link, NULL, NULL, "HSET webhook:%s replayDead 1", id);
	done_now(query,
		 redis_link_command(link, on_done, query, "HINCRBY webhook:%s revision 1", id));
}

void store_webhook_replaying(struct redis_link *link, const struct webhook *webhook)
{
	for (enum topic topic = 0; topic < TOPIC_COUNT; topic++) {
		if ((webhook->replay.topics & topic_bit(topic)) != 0)
			redis_link_command(link, NULL, NULL, "HDEL webhook:%s replay:%s",
					   webhook->id, topic_name(topic));
	}
	save_positions(link, webhook->id, "at", &webhook->replay);
	redis_link_command(link, NULL, NULL, "HDEL webhook:%s replayDead", webhook->id);
}

/* ---- deliveries ---- */

static const char note_script[] =
	"local key = 'webhook:' .. ARGV[1]\n"
	"if redis.call('EXISTS', key) == 0 then return 0 end\n"
	"if ARGV[2] ~= '' then redis.call('HINCRBY', key, ARGV[2], 1) end\n"
	"if ARGV[3] ~= '' then redis.call('HSET', key, ARGV[3], ARGV[4]) end\n"
	"redis.call('HSET', key, 'lastError', ARGV[5], 'lastAt', ARGV[6])\n"
	"if ARGV[7] ~= '' then\n"
	"  redis.call('XADD', 'webhook:dead:' .. ARGV[1], 'MAXLEN', '~', " DEAD_MAX
	", '*', 'b', ARGV[7], 'error', ARGV[5])\n"
	"end\n"
	"return 1\n";

static void note(struct redis_link *link, const char *id, const char *counter, const char *field,
		 const char *value, const char *error, const char *letter, size_t len)
{
	char now[24];

	snprintf(now, sizeof(now), "%lld", (long long)clock_wall_ms());
	redis_link_command(link, NULL, NULL, "EVAL %s 0 %s %s %s %s %s %s %b", note_script, id,
			   counter, field, value, error, now, letter, len);
}

void store_webhook_delivered(struct redis_link *link, const char *id, enum topic topic,
			     struct entry_id at, const char *error)
{
	char field[24], text[ENTRY_ID_TEXT_MAX];

	snprintf(field, sizeof(field), "at:%s", topic_name(topic));
	note(link, id, error == NULL ? "delivered" : "", field, entry_id_format(at, text),
	     error != NULL ? error : "", "", 0);
}

void store_webhook_failed(struct redis_link *link, const char *id, const char *error)
{
	note(link, id, "failed", "", "", error, "", 0);
}

void store_webhook_moved(struct redis_link *link, const char *id, const struct positions *at)
{
	save_positions(link, id, "at", at);
}

void store_webhook_dead(struct redis_link *link, const char *id, const char *body, size_t len,
			const char *error)
{
	note(link, id, "dead", "", "", error, body, len);
}

void store_webhook_risen(struct redis_link *link, const char *id, const char *entry)
{
	redis_link_command(link, NULL, NULL, "XDEL webhook:dead:%s %s", id, entry);
	redis_link_command(link, NULL, NULL, "HINCRBY webhook:%s dead -1", id);
	note(link, id, "delivered", "", "", "", "", 0);
}

struct letters_query {
	store_letters_fn *fn;
	void *context;
};

static struct store_letter read_letter(const redisReply *reply)
{
	const redisReply *fields = reply->element[1];
	struct store_letter letter = {reply->element[0]->str, "", "", 0};

	for (size_t i = 0; i + 1 < fields->elements; i += 2) {
		const redisReply *value = fields->element[i + 1];

		if (strcmp(fields->element[i]->str, "error") == 0) {
			letter.error = value->str;
		} else {
			letter.body = value->str;
			letter.len = (size_t)value->len;
		}
	}
	return letter;
}

static void on_letters(const redisReply *reply, void *context)
{
	struct letters_query *query = context;
	struct store_letter letters[200];
	size_t count = 0;

	if (reply == NULL || reply->type != REDIS_REPLY_ARRAY) {
		query->fn(NULL, 0, query->context);
	} else {
		for (; count < reply->elements && count < 200; count++)
			letters[count] = read_letter(reply->element[count]);
		query->fn(letters, count, query->context);
	}
	free(query);
}

void store_webhook_letters(struct redis_link *link, const char *id, const char *after, size_t max,
			   store_letters_fn *fn, void *context)
{
	struct letters_query *query = mem_new(struct letters_query);

	*query = (struct letters_query){fn, context};
	if (redis_link_command(link, on_letters, query, "XRANGE webhook:dead:%s (%s + COUNT %d", id,
			       after, (int)max) == 0)
		return;
	free(query);
	fn(NULL, 0, context);
}
