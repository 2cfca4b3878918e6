#include "store_data.h"

#include "store_internal.h"

#include "clock.h"
#include "mem.h"
#include "session_event.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

/* ---- data ---- */

struct reading {
	store_data_fn *done;
	void *context;
};

static void on_data(const redisReply *reply, void *context)
{
	struct reading *reading = context;

	if (reply == NULL || reply->type != REDIS_REPLY_ARRAY || reply->elements != 2)
		reading->done(false, 0, NULL, reading->context);
	else
		reading->done(true, store_number(reply->element[0]), reply->element[1]->str,
			      reading->context);
	free(reading);
}

void store_get_data(struct store *store, const char *session_id, store_data_fn *done, void *context)
{
	struct reading *reading = mem_new(struct reading);

	*reading = (struct reading){done, context};
	if (redis_link_command(store->link, on_data, reading, "HMGET session:data:%s version data",
			       session_id) < 0)
		on_data(NULL, reading);
}

struct writing {
	store_written_fn *done;
	store_event_added_fn *added;
	void *context;
};

static void on_written(const redisReply *reply, void *context)
{
	struct writing *writing = context;
	enum store_written written = STORE_WRITTEN_UNKNOWN;
	int64_t version = 0;

	if (reply != NULL && reply->type == REDIS_REPLY_ARRAY && reply->elements == 2) {
		written = (enum store_written)reply->element[0]->integer;
		version = reply->element[1]->integer;
	}
	writing->done(written, version, writing->context);
	free(writing);
}

/* KEYS: session, data, events:session. ARGV: version wanted, data, event, oldest event kept. In
   the event stands SESSION_EVENT_ANY_VERSION. */
static const char put_script[] =
	"local left = redis.call('PTTL', KEYS[1]) "
	"if left < 0 then return {1, 0} end "
	"local at = tonumber(redis.call('HGET', KEYS[2], 'version') or '0') "
	"if ARGV[1] ~= '-1' and tonumber(ARGV[1]) ~= at then return {2, at} end "
	"redis.call('HSET', KEYS[2], 'version', at + 1, 'data', ARGV[2]) "
	"redis.call('PEXPIRE', KEYS[2], left) "
	"local event = string.gsub(ARGV[3], '4503599627370497', string.format('%d', at + 1), 1) "
	"redis.call('XADD', KEYS[3], 'MINID', '~', ARGV[4], '*', 'e', event) "
	"redis.call('PUBLISH', 'session:changes', event) return {0, at + 1}";

void store_put_data(struct store *store, const struct principal *who, int64_t version,
		    const char *data, size_t len, store_written_fn *done, void *context)
{
	struct writing *writing = mem_new(struct writing);
	struct buffer event = {0};

	*writing = (struct writing){.done = done, .context = context};
	session_event_changed(who, SESSION_EVENT_ANY_VERSION, &event);
	if (redis_link_command(store->link, on_written, writing,
			       "EVAL %s 3 session:%s session:data:%s events:session %" PRId64
			       " %b %b %" PRId64,
			       put_script, who->session_id, who->session_id, version, data, len,
			       event.data, event.len, clock_wall_ms() - EVENTS_KEEP_MS) < 0)
		on_written(NULL, writing);
	buffer_free(&event);
}

/* ---- events ---- */

static void on_added(const redisReply *reply, void *context)
{
	struct writing *writing = context;

	if (reply == NULL || reply->type == REDIS_REPLY_ERROR)
		writing->added(STORE_WRITTEN_UNKNOWN, NULL, writing->context);
	else if (reply->type != REDIS_REPLY_STRING || reply->len == 0)
		writing->added(STORE_NO_SESSION, NULL, writing->context);
	else
		writing->added(STORE_WRITTEN, reply->str, writing->context);
	free(writing);
}

void store_add_session_event(struct store *store, const char *session_id, const char *event,
			     size_t len, store_event_added_fn *done, void *context)
{
	static const char script[] =
		"local left = redis.call('PTTL', KEYS[1]) if left < 0 then return '' end "
		"local id = redis.call('XADD', KEYS[2], 'MAXLEN', ARGV[2], '*', 'e', ARGV[1]) "
		"redis.call('PEXPIRE', KEYS[2], left) return id";
	struct writing *writing = mem_new(struct writing);

	*writing = (struct writing){.added = done, .context = context};
	if (redis_link_command(store->link, on_added, writing,
			       "EVAL %s 2 session:%s session:events:%s %b %d", script, session_id,
			       session_id, event, len, STORE_EVENTS_MAX) < 0)
		on_added(NULL, writing);
}

struct listing {
	store_events_fn *done;
	void *context;
};

/* reply: [[id, ["e", text]], ...] */
static void on_events(const redisReply *reply, void *context)
{
	struct listing *listing = context;
	struct store_session_event *list;

	if (reply == NULL || reply->type != REDIS_REPLY_ARRAY) {
		listing->done(false, NULL, 0, listing->context);
		free(listing);
		return;
	}
	list = mem_array(struct store_session_event, reply->elements + 1);
	for (size_t i = 0; i < reply->elements; i++) {
		const redisReply *value = reply->element[i]->element[1]->element[1];

		list[i] = (struct store_session_event){reply->element[i]->element[0]->str,
						       value->str, (size_t)value->len};
	}
	listing->done(true, list, reply->elements, listing->context);
	free(list);
	free(listing);
}

void store_get_session_events(struct store *store, const char *session_id, const char *after,
			      size_t count, store_events_fn *done, void *context)
{
	struct listing *listing = mem_new(struct listing);
	char from[64];

	*listing = (struct listing){done, context};
	snprintf(from, sizeof(from), "%s%s", after != NULL ? "(" : "", after != NULL ? after : "-");
	if (redis_link_command(store->link, on_events, listing,
			       "XRANGE session:events:%s %s + COUNT %d", session_id, from,
			       (int)count) < 0)
		on_events(NULL, listing);
}
