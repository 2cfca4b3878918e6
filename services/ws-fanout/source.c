#include "source.h"

#include "clock.h"
#include "log.h"
#include "mem.h"
#include "store.h"
#include "stream_reader.h"
#include "teams.h"
#include "webhooks.h"

#include <stdlib.h>
#include <string.h>

#define BATCH_MAX 500
#define BLOCK_MS  5000
/* Of each topic, at the start: all clients of the one before may come back at once. */
#define RECENT_MAX 1000

struct source {
	uv_loop_t *loop;
	struct hub *hub;
	struct health_item *health;
	struct stream_reader *reader; /* NULL until it is known where the streams stand */
	bool asking, freed;
};

struct source *source_new(uv_loop_t *loop, struct hub *hub, struct health_item *health)
{
	struct source *source = mem_new(struct source);

	source->loop = loop;
	source->hub = hub;
	source->health = health;
	return source;
}

static enum topic topic_of(const char *stream)
{
	enum topic topic = 0;

	while (topic < TOPIC_COUNT - 1 && strcmp(store_streams[topic], stream) != 0)
		topic++;
	return topic;
}

static void take_entry(struct hub *hub, const struct stream_entry *entry)
{
	enum topic topic = topic_of(entry->stream);
	struct entry_id id;
	const char *error;
	struct event *event;

	if (!entry_id_parse(entry->id, &id))
		return;
	event = event_new(topic, id, entry->data, entry->len, &error);
	if (event != NULL) {
		hub_publish(hub, event);
		return;
	}
	log_warn("entry is no event", log_str("stream", entry->stream), log_str("id", entry->id),
		 log_str("error", error));
	hub_skip(hub, topic, id);
}

static void on_batch(const struct stream_entry *entries, size_t count, void *context)
{
	struct source *source = context;
	struct hub *hub = source->hub;
	struct entry_id id;

	for (size_t i = 0; i < count; i++)
		take_entry(hub, &entries[i]);
	ws_server_flush(hub->server);
	if (hub->webhooks != NULL)
		webhooks_wake(hub->webhooks);
	int64_t now_ms = clock_wall_ms();
	for (size_t i = 0; i < count; i++) {
		if (entry_id_parse(entries[i].id, &id))
			metric_observe_us(&hub->metrics->ws_delay_seconds,
					  (now_ms - (int64_t)id.ms) * 1000);
	}
	stream_reader_next(source->reader);
}

static void on_up(void *context)
{
	struct source *source = context;

	health_set(source->health, true, NULL);
}

static void on_down(const char *reason, void *context)
{
	struct source *source = context;

	health_set(source->health, false, reason);
}

static void open_reader(struct source *source)
{
	char ids[TOPIC_COUNT][ENTRY_ID_TEXT_MAX];
	const char *cursors[TOPIC_COUNT + 1] = {NULL};
	struct stream_reader_settings set = {
		.redis = &fanout_redis_settings,
		.streams = store_streams,
		.cursors = cursors,
		.batch_max = BATCH_MAX,
		.block_ms = BLOCK_MS,
		.on_batch = on_batch,
		.on_up = on_up,
		.on_down = on_down,
		.context = source,
	};

	for (int i = 0; i < TOPIC_COUNT; i++)
		cursors[i] = entry_id_format(backlog_tip(source->hub->backlogs[i]), ids[i]);
	source->reader = stream_reader_open(source->loop, &set);
}

static void on_recent(enum topic topic, const struct store_entry *entries, size_t count,
		      void *context)
{
	struct source *source = context;

	if (!source->freed)
		hub_load(source->hub, topic, entries, count);
}

static void on_teams(bool ok, void *context)
{
	struct source *source = context;

	source->asking = false;
	if (source->freed) {
		free(source);
		return;
	}
	if (!ok)
		return; /* asked again when the link is up again */
	hub_start(source->hub);
	open_reader(source);
}

static void on_recent_done(bool complete, void *context)
{
	struct source *source = context;

	if (complete && !source->freed)
		teams_load(source->hub->teams, on_teams, source);
	else
		on_teams(false, source);
}

void source_link_up(struct source *source)
{
	if (source->reader != NULL || source->asking)
		return;
	source->asking = true;
	store_recent(source->hub->link, RECENT_MAX, on_recent, on_recent_done, source);
}

void source_free(struct source **source)
{
	struct source *old = *source;

	*source = NULL;
	if (old == NULL)
		return;
	stream_reader_close(&old->reader);
	old->freed = true;
	if (!old->asking)
		free(old);
}
