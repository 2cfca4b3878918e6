#include "store.h"

#include "clock.h"
#include "mem.h"
#include "principal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *const store_streams[] = {"events:call",
				     "events:agent",
				     "events:queue",
				     "events:transfer",
				     "events:session",
				     "events:ami",
				     NULL};

/* ---- where the streams stand ---- */

struct tips_query {
	store_tips_fn *fn;
	void *context;
	struct entry_id tips[TOPIC_COUNT];
	unsigned sent, answered;
	bool failed;
};

static bool read_tip(const redisReply *reply, struct entry_id *id_r)
{
	if (reply == NULL || reply->type != REDIS_REPLY_ARRAY)
		return false;
	if (reply->elements == 0)
		return true;
	reply = reply->element[0];
	return reply->type == REDIS_REPLY_ARRAY && reply->elements == 2 &&
	       reply->element[0]->type == REDIS_REPLY_STRING &&
	       entry_id_parse(reply->element[0]->str, id_r);
}

static void tips_end(struct tips_query *query)
{
	query->fn(query->failed ? NULL : query->tips, query->context);
	free(query);
}

static void on_tip(const redisReply *reply, void *context)
{
	struct tips_query *query = context;

	if (!read_tip(reply, &query->tips[query->answered]))
		query->failed = true;
	if (++query->answered == query->sent)
		tips_end(query);
}

void store_tips(struct redis_link *link, store_tips_fn *fn, void *context)
{
	struct tips_query *query = mem_new(struct tips_query);

	query->fn = fn;
	query->context = context;
	while (query->sent < TOPIC_COUNT &&
	       redis_link_command(link, on_tip, query, "XREVRANGE %s + - COUNT 1",
				  store_streams[query->sent]) == 0)
		query->sent++;
	query->failed = query->sent < TOPIC_COUNT;
	if (query->sent == 0)
		tips_end(query);
}

/* ---- missed events ---- */

struct range_query {
	store_range_fn *fn;
	void *context;
	struct entry_id after;
	enum store_status status;
	bool alone; /* the second command was refused */
};

/* XINFO STREAM is a list of names and values. */
static const redisReply *info(const redisReply *reply, const char *name)
{
	for (size_t i = 0; i + 1 < reply->elements; i += 2) {
		if (reply->element[i]->type == REDIS_REPLY_STRING &&
		    strcmp(reply->element[i]->str, name) == 0)
			return reply->element[i + 1];
	}
	return NULL;
}

/* Trimmed: some entries were, and the id lies before all that are left. */
static enum store_status read_info(const redisReply *reply, struct entry_id after)
{
	const redisReply *added, *length, *first, *last;
	struct entry_id first_id, last_id;

	if (reply == NULL)
		return STORE_AWAY;
	if (reply->type != REDIS_REPLY_ARRAY) /* an error: there is no such stream */
		return after.ms == 0 ? STORE_OK : STORE_UNKNOWN;
	added = info(reply, "entries-added");
	length = info(reply, "length");
	first = info(reply, "first-entry");
	last = info(reply, "last-generated-id");
	if (added == NULL || length == NULL || first == NULL || last == NULL ||
	    last->type != REDIS_REPLY_STRING || !entry_id_parse(last->str, &last_id))
		return STORE_TRIMMED;
	if (entry_id_compare(after, last_id) > 0)
		return STORE_UNKNOWN;
	if (entry_id_compare(after, last_id) == 0 || added->integer == length->integer)
		return STORE_OK;
	if (first->type != REDIS_REPLY_ARRAY || !entry_id_parse(first->element[0]->str, &first_id))
		return STORE_TRIMMED;
	return entry_id_compare(after, first_id) < 0 ? STORE_TRIMMED : STORE_OK;
}

/* One entry: [id, [field, value]]. Other shapes become an entry without data. */
static struct store_entry read_entry(const redisReply *reply)
{
	struct store_entry entry = {.data = "", .len = 0};
	const redisReply *fields;

	if (reply->type != REDIS_REPLY_ARRAY || reply->elements != 2 ||
	    reply->element[0]->type != REDIS_REPLY_STRING)
		return entry;
	(void)entry_id_parse(reply->element[0]->str, &entry.id);
	fields = reply->element[1];
	if (fields->type == REDIS_REPLY_ARRAY && fields->elements >= 2) {
		entry.data = fields->element[1]->str;
		entry.len = (size_t)fields->element[1]->len;
	}
	return entry;
}

static void range_end(struct range_query *query, const redisReply *reply)
{
	size_t count = reply != NULL ? reply->elements : 0;
	struct store_entry *entries = mem_array(struct store_entry, count + 1);

	for (size_t i = 0; i < count; i++)
		entries[i] = read_entry(reply->element[i]);
	query->fn(query->status, entries, count, query->context);
	free(entries);
	free(query);
}

static void on_range(const redisReply *reply, void *context)
{
	struct range_query *query = context;

	if (reply == NULL || reply->type != REDIS_REPLY_ARRAY)
		query->status = STORE_AWAY;
	range_end(query, query->status == STORE_OK ? reply : NULL);
}

static void on_info(const redisReply *reply, void *context)
{
	struct range_query *query = context;

	query->status = query->alone ? STORE_AWAY : read_info(reply, query->after);
	if (query->alone)
		range_end(query, NULL);
}

void store_range(struct redis_link *link, enum topic topic, struct entry_id after, size_t max,
		 store_range_fn *fn, void *context)
{
	struct range_query *query = mem_new(struct range_query);
	char id[ENTRY_ID_TEXT_MAX];

	*query = (struct range_query){fn, context, after, STORE_AWAY, false};
	if (redis_link_command(link, on_info, query, "XINFO STREAM %s", store_streams[topic]) < 0)
		range_end(query, NULL);
	else if (redis_link_command(link, on_range, query, "XRANGE %s (%s + COUNT %d",
				    store_streams[topic], entry_id_format(after, id), (int)max) < 0)
		query->alone = true;
}

/* ---- the calls as they are ---- */

/* All in one script, so that the answer is of one moment: the id of the last event of events:call,
   whether there were more calls, then id and hash of each call.
   ARGV: PBX names parted by blanks; extension, "" for all; how many. */
static const char snapshot_script[] =
	"local last = redis.call('XREVRANGE', 'events:call', '+', '-', 'COUNT', 1)\n"
	"local out = {last[1] and last[1][1] or '0-0', 0}\n"
	"local function add(id)\n"
	"  if #out - 2 >= 2 * tonumber(ARGV[3]) then out[2] = 1 return end\n"
	"  local hash = redis.call('HGETALL', 'call:' .. id)\n"
	"  if #hash > 0 then out[#out + 1] = id out[#out + 1] = hash end\n"
	"end\n"
	"for pbx in string.gmatch(ARGV[1], '%S+') do\n"
	"  local live = 'calls:live:' .. pbx\n"
	"  if ARGV[2] == '' then\n"
	"    for _, id in ipairs(redis.call('SMEMBERS', live)) do add(id) end\n"
	"  else\n"
	"    for _, id in ipairs(redis.call('ZREVRANGE', 'calls:of:' .. ARGV[2], 0, 99)) do\n"
	"      if redis.call('SISMEMBER', live, id) == 1 then add(id) end\n"
	"    end\n"
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
	struct store_snapshot snapshot = {.calls = reply};

	if (!snapshot_is_valid(reply) || !entry_id_parse(reply->element[0]->str, &snapshot.as_of)) {
		snapshot_end(context, NULL);
		return;
	}
	snapshot.count = (reply->elements - 2) / 2;
	snapshot.truncated = reply->element[1]->integer != 0;
	snapshot_end(context, &snapshot);
}

void store_snapshot(struct redis_link *link, const char *pbxs, const char *extension, size_t max,
		    store_snapshot_fn *fn, void *context)
{
	struct snapshot_query *query = mem_new(struct snapshot_query);

	*query = (struct snapshot_query){fn, context};
	if (redis_link_command(link, on_snapshot, query, "EVAL %s 0 %s %s %d", snapshot_script,
			       pbxs, extension, (int)max) < 0)
		snapshot_end(query, NULL);
}

const char *store_snapshot_call(const struct store_snapshot *snapshot, size_t index,
				void (*fn)(const char *name, const char *value, size_t len,
					   void *context),
				void *context)
{
	const redisReply *id = snapshot->calls->element[2 + 2 * index];
	const redisReply *hash = snapshot->calls->element[3 + 2 * index];

	for (size_t i = 0; hash->type == REDIS_REPLY_ARRAY && i + 1 < hash->elements; i += 2)
		fn(hash->element[i]->str, hash->element[i + 1]->str,
		   (size_t)hash->element[i + 1]->len, context);
	return id->type == REDIS_REPLY_STRING ? id->str : "";
}

/* ---- one-use tickets ---- */

struct ticket_query {
	struct redis_link *link;
	store_ticket_fn *fn;
	void *context;
	char session_id[40];
};

enum ticket_field {
	FIELD_USER_ID,
	FIELD_USERNAME,
	FIELD_ROLE,
	FIELD_EXTENSION,
	FIELD_AMI_SESSION,
	FIELD_EXPIRES,
	FIELD_COUNT
};

static void ticket_end(struct ticket_query *query, const struct principal *who, bool away)
{
	query->fn(who, away, query->context);
	free(query);
}

static bool copy(const redisReply *reply, char *out, size_t size)
{
	if (reply->type != REDIS_REPLY_STRING || (size_t)reply->len >= size)
		return false;
	memcpy(out, reply->str, (size_t)reply->len + 1);
	return true;
}

static bool read_session(const redisReply *reply, struct principal *who_r)
{
	redisReply **field = reply->element;
	char role[16], expires[24];

	if (!copy(field[FIELD_USER_ID], who_r->user_id, sizeof(who_r->user_id)) ||
	    !copy(field[FIELD_USERNAME], who_r->username, sizeof(who_r->username)) ||
	    !copy(field[FIELD_ROLE], role, sizeof(role)) || !role_parse(role, &who_r->role) ||
	    !copy(field[FIELD_EXPIRES], expires, sizeof(expires)))
		return false;
	(void)copy(field[FIELD_EXTENSION], who_r->extension, sizeof(who_r->extension));
	(void)copy(field[FIELD_AMI_SESSION], who_r->ami_session_id, sizeof(who_r->ami_session_id));
	who_r->permissions = role_permissions(who_r->role);
	who_r->expires_at_ms = strtoll(expires, NULL, 10);
	return who_r->expires_at_ms > clock_wall_ms();
}

static void on_ticket_session(const redisReply *reply, void *context)
{
	struct ticket_query *query = context;
	struct principal who = {0};
	bool answered =
		reply != NULL && reply->type == REDIS_REPLY_ARRAY && reply->elements == FIELD_COUNT;

	strcpy(who.session_id, query->session_id);
	ticket_end(query, answered && read_session(reply, &who) ? &who : NULL, !answered);
}

static void on_ticket(const redisReply *reply, void *context)
{
	struct ticket_query *query = context;

	if (reply == NULL || reply->type == REDIS_REPLY_ERROR)
		ticket_end(query, NULL, true);
	else if (!copy(reply, query->session_id, sizeof(query->session_id)))
		ticket_end(query, NULL, false);
	else if (redis_link_command(query->link, on_ticket_session, query,
				    "HMGET session:%s userId username role extension amiSessionId "
				    "expiresAt",
				    query->session_id) < 0)
		ticket_end(query, NULL, true);
}

void store_ticket(struct redis_link *link, const char *ticket, store_ticket_fn *fn, void *context)
{
	struct ticket_query *query = mem_new(struct ticket_query);

	*query = (struct ticket_query){.link = link, .fn = fn, .context = context};
	if (redis_link_command(link, on_ticket, query, "GETDEL cache:ticket:%s", ticket) < 0)
		ticket_end(query, NULL, true);
}
