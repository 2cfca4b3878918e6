#include "store.h"

#include "buffer.h"
#include "log.h"
#include "mem.h"

#include <stdlib.h>
#include <string.h>

const char *const store_streams[] = {
	"events:call",    "events:agent", "events:queue", "events:transfer",
	"events:session", "events:ami",   "events:crm",   NULL};

/* ---- entries ---- */

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

/* ---- where the streams stand ---- */

struct recent_query {
	store_recent_fn *fn;
	store_recent_done_fn *done;
	void *context;
	unsigned sent, answered;
	bool failed;
};

/* Redis gives the latest first. */
static void tell_recent(const struct recent_query *query, const redisReply *reply)
{
	size_t count = reply->elements;
	struct store_entry *entries = mem_array(struct store_entry, count + 1);

	for (size_t i = 0; i < count; i++)
		entries[count - 1 - i] = read_entry(reply->element[i]);
	query->fn((enum topic)query->answered, entries, count, query->context);
	free(entries);
}

static void recent_end(struct recent_query *query)
{
	query->done(!query->failed, query->context);
	free(query);
}

static void on_recent(const redisReply *reply, void *context)
{
	struct recent_query *query = context;

	if (reply == NULL || reply->type != REDIS_REPLY_ARRAY)
		query->failed = true;
	else if (!query->failed)
		tell_recent(query, reply);
	if (++query->answered == query->sent)
		recent_end(query);
}

void store_recent(struct redis_link *link, size_t max, store_recent_fn *fn,
		  store_recent_done_fn *done, void *context)
{
	struct recent_query *query = mem_new(struct recent_query);

	*query = (struct recent_query){.fn = fn, .done = done, .context = context};
	while (query->sent < TOPIC_COUNT &&
	       redis_link_command(link, on_recent, query, "XREVRANGE %s + - COUNT %d",
				  store_streams[query->sent], (int)max) == 0)
		query->sent++;
	query->failed = query->sent < TOPIC_COUNT;
	if (query->sent == 0)
		recent_end(query);
}

/* ---- teams ---- */

struct teams_query {
	store_teams_fn *fn;
	void *context;
};

static void on_teams(const redisReply *reply, void *context)
{
	struct teams_query *query = context;
	struct buffer ids = {0};

	if (reply != NULL && reply->type == REDIS_REPLY_ERROR)
		log_warn("teams can't be read", log_str("error", reply->str));
	else if (reply != NULL && reply->type == REDIS_REPLY_ARRAY)
		for (size_t i = 0; i < reply->elements; i++)
			buffer_printf(&ids, "%s%s", i > 0 ? " " : "", reply->element[i]->str);
	query->fn(reply != NULL ? buffer_str(&ids) : NULL, query->context);
	buffer_free(&ids);
	free(query);
}

void store_teams(struct redis_link *link, store_teams_fn *fn, void *context)
{
	struct teams_query *query = mem_new(struct teams_query);

	*query = (struct teams_query){fn, context};
	if (redis_link_command(link, on_teams, query, "SMEMBERS teams") == 0)
		return;
	fn(NULL, context);
	free(query);
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
