/* A change of a transfer, as one script: a script, and not MULTI under WATCH, because many changes
   are under way on one connection and a WATCH belongs to the connection. */
#include "store.h"

#include "clock.h"
#include "mem.h"
#include "resp.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

/* KEYS: transfer:<id>, transfer:call:<callId>, transfers:of:<extension>, actions:<pbx>.
   ARGV: id, version before, deadline (0: it is over), now, when a day ago was, how many events, the
   events, how many actions, the actions, and the fields of the hash.
   Answers {1} or {0, id of the transfer that the call has}. */
static const char script[] =
	"local id, before, deadline = ARGV[1], ARGV[2], ARGV[3]\n"
	"if before == '0' then\n"
	"  local held = redis.call('GET', KEYS[2])\n"
	"  if held and redis.call('EXISTS', 'transfer:' .. held) == 1 then return {0, held} end\n"
	"  if redis.call('EXISTS', KEYS[1]) == 1 then return {0, id} end\n"
	"  redis.call('SET', KEYS[2], id, 'EX', 86400)\n"
	"  for _, list in ipairs({'transfers:recent', KEYS[3]}) do\n"
	"    redis.call('ZADD', list, ARGV[4], id)\n"
	"    redis.call('ZREMRANGEBYSCORE', list, '-inf', ARGV[5])\n"
	"    redis.call('EXPIRE', list, 172800)\n"
	"  end\n"
	"elseif redis.call('HGET', KEYS[1], 'version') ~= before then return {0, ''} end\n"
	"local at = 6\n"
	"for i = 1, ARGV[at] do\n"
	"  local event = ARGV[at + i]\n"
	"  redis.call('XADD', 'events:transfer', 'MINID', '~', ARGV[5], '*', 'e', event)\n"
	"  redis.call('PUBLISH', 'transfer:updates', event)\n"
	"end\n"
	"at = at + ARGV[at] + 1\n"
	"for i = 1, ARGV[at] do\n"
	"  redis.call('XADD', KEYS[4], 'MAXLEN', '~', 10000, '*', 'a', ARGV[at + i])\n"
	"end\n"
	"at = at + ARGV[at] + 1\n"
	"redis.call('HSET', KEYS[1], unpack(ARGV, at))\n"
	"if deadline == '0' then\n"
	"  redis.call('ZREM', 'transfers:deadlines', id)\n"
	"  redis.call('SADD', 'transfers:unsaved', id)\n"
	"  if redis.call('GET', KEYS[2]) == id then redis.call('DEL', KEYS[2]) end\n"
	"else redis.call('ZADD', 'transfers:deadlines', deadline, id) end\n"
	"return {1, ''}\n";

#define DAY_MS 86400000

struct waiter {
	store_done_fn *done;
	void *context;
};

static void answer(struct waiter *waiter, enum store_result result, const char *other)
{
	waiter->done(result, other, waiter->context);
	free(waiter);
}

static void on_committed(const redisReply *reply, void *context)
{
	if (reply == NULL || reply->type != REDIS_REPLY_ARRAY || reply->elements != 2)
		answer(context, STORE_UNAVAILABLE, "");
	else if (reply->element[0]->integer == 1)
		answer(context, STORE_OK, "");
	else
		answer(context, STORE_CONFLICT, reply->element[1]->str);
}

/* The command's words, counted as they come. */
struct words {
	struct buffer text;
	size_t count;
};

static void add(struct words *words, const char *word)
{
	resp_text(&words->text, word);
	words->count++;
}

static void add_int(struct words *words, int64_t number)
{
	char text[24];

	snprintf(text, sizeof(text), "%" PRId64, number);
	add(words, text);
}

static void add_key(struct words *words, const char *prefix, const char *name)
{
	char *key = mem_printf("%s%s", prefix, name);

	add(words, key);
	free(key);
}

static void add_list(struct words *words, const struct buffer *texts, size_t count)
{
	add_int(words, (int64_t)count);
	for (size_t i = 0; i < count; i++)
		add(words, buffer_str(&texts[i]));
}

static void on_field(const char *name, const char *value, void *context)
{
	add(context, name);
	add(context, value);
}

static void write_command(const struct store_change *change, struct words *words)
{
	const struct transfer *transfer = change->transfer;
	int64_t now = clock_wall_ms();

	add(words, "EVAL");
	add(words, script);
	add(words, "4");
	add_key(words, "transfer:", transfer->id);
	add_key(words, "transfer:call:", transfer->call_id);
	add_key(words, "transfers:of:", transfer->by);
	add_key(words, "actions:", transfer->pbx);
	add(words, transfer->id);
	add_int(words, transfer->version - 1);
	add_int(words, transfer->deadline_at);
	add_int(words, now);
	add_int(words, now - DAY_MS);
	add_list(words, change->events, change->event_count);
	add_list(words, change->actions->text, change->actions->count);
	transfer_fields(transfer, on_field, words);
}

void store_commit(struct redis_link *link, const struct store_change *change, store_done_fn *done,
		  void *context)
{
	struct waiter *waiter = mem_new(struct waiter);
	struct words words = {0};
	struct buffer command = {0};

	*waiter = (struct waiter){done, context};
	write_command(change, &words);
	resp_array(&command, words.count);
	buffer_append(&command, words.text.data, words.text.len);
	if (redis_link_raw(link, on_committed, waiter, command.data, command.len) < 0)
		answer(waiter, STORE_UNAVAILABLE, "");
	buffer_free(&words.text);
	buffer_free(&command);
}
