/* Calls, agents and queues as they are: see store.h. */
#include "mem.h"
#include "store.h"

#include <stdlib.h>

/* All in one script, so that the answer is of one moment: the id of the last event of the topic,
   whether there was more, then id and hash of each.
   ARGV: topic; PBX names parted by blanks; extensions parted by commas, "*" for all; how many. */
static const char script[] =
	"local topic, all, seen, exts = ARGV[1], ARGV[3] == '*', {}, {}\n"
	"local last = redis.call('XREVRANGE', 'events:' .. topic, '+', '-', 'COUNT', 1)\n"
	"local out = {last[1] and last[1][1] or '0-0', 0}\n"
	"local one = not string.find(ARGV[3], '[,*]') and ARGV[3]\n"
	"for ext in string.gmatch(ARGV[3], '[^,]+') do exts[ext] = true end\n"
	"local function add(id)\n"
	"  if seen[id] then return end\n"
	"  seen[id] = true\n"
	"  if #out - 2 >= 2 * tonumber(ARGV[4]) then out[2] = 1 return end\n"
	"  local hash = redis.call('HGETALL', topic .. ':' .. id)\n"
	"  if #hash > 0 then out[#out + 1] = id out[#out + 1] = hash end\n"
	"end\n"
	"local function names_one(id, field)\n"
	"  local text = redis.call('HGET', topic .. ':' .. id, field) or ''\n"
	"  for word in string.gmatch(text, '[\"/]([%w_.-]+)\"') do\n"
	"    if exts[word] then return true end\n"
	"  end\n"
	"end\n"
	"local function add_those(ids, field)\n"
	"  for _, id in ipairs(ids) do\n"
	"    if all or names_one(id, field) then add(id) end\n"
	"  end\n"
	"end\n"
	"for pbx in string.gmatch(ARGV[2], '%S+') do\n"
	"  if topic == 'agent' and all then\n"
	"    for _, id in ipairs(redis.call('HKEYS', 'agents:' .. pbx)) do add(id) end\n"
	"  elseif topic == 'agent' then\n"
	"    for ext in pairs(exts) do add(ext) end\n"
	"  elseif topic == 'queue' then\n"
	"    add_those(redis.call('SMEMBERS', 'queues:' .. pbx), 'members')\n"
	"  elseif one then\n"
	"    for _, id in ipairs(redis.call('ZREVRANGE', 'calls:of:' .. one, 0, 99)) do\n"
	"      if redis.call('SISMEMBER', 'calls:live:' .. pbx, id) == 1 then add(id) end\n"
	"    end\n"
	"  else\n"
	"    add_those(redis.call('SMEMBERS', 'calls:live:' .. pbx), 'extensions')\n"
	"  end\n"
	"end\n"
	"return out\n";

struct snapshot_query {
	store_snapshot_fn *fn;
	void *context;
};

static bool snapshot_is_valid(const redisReply *reply)
{
	return reply != NULL && reply->type == REDIS_REPLY_ARRAY && reply->elements >= 2 &&
	       reply->elements % 2 == 0 && reply->element[0]->type == REDIS_REPLY_STRING &&
	       reply->element[1]->type == REDIS_REPLY_INTEGER;
}

static void snapshot_end(struct snapshot_query *query, const struct store_snapshot *snapshot)
{
	query->fn(snapshot, query->context);
	free(query);
}

static void on_snapshot(const redisReply *reply, void *context)
{
	struct store_snapshot snapshot = {.items = reply};

	if (!snapshot_is_valid(reply) || !entry_id_parse(reply->element[0]->str, &snapshot.as_of)) {
		snapshot_end(context, NULL);
		return;
	}
	snapshot.count = (reply->elements - 2) / 2;
	snapshot.truncated = reply->element[1]->integer != 0;
	snapshot_end(context, &snapshot);
}

void store_snapshot(struct redis_link *link, enum topic topic, const char *pbxs,
		    const char *extensions, size_t max, store_snapshot_fn *fn, void *context)
{
	struct snapshot_query *query = mem_new(struct snapshot_query);

	*query = (struct snapshot_query){fn, context};
	if (redis_link_command(link, on_snapshot, query, "EVAL %s 0 %s %s %s %d", script,
			       topic_name(topic), pbxs, extensions, (int)max) < 0)
		snapshot_end(query, NULL);
}

const char *store_snapshot_id(const struct store_snapshot *snapshot, size_t index)
{
	const redisReply *id = snapshot->items->element[2 + 2 * index];

	return id->type == REDIS_REPLY_STRING ? id->str : "";
}

void store_snapshot_fields(const struct store_snapshot *snapshot, size_t index,
			   void (*fn)(const char *name, const char *value, size_t len,
				      void *context),
			   void *context)
{
	const redisReply *hash = snapshot->items->element[3 + 2 * index];

	for (size_t i = 0; hash->type == REDIS_REPLY_ARRAY && i + 1 < hash->elements; i += 2)
		fn(hash->element[i]->str, hash->element[i + 1]->str,
		   (size_t)hash->element[i + 1]->len, context);
}
