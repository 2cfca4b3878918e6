#include "snapshot.h"

#include "clock.h"
#include "ids.h"
#include "log.h"
#include "loop.h"
#include "mem.h"

#include <stdlib.h>
#include <string.h>

#define LISTS    3
#define CHANNELS 0 /* index of the list that must not fail */
#define RETRY_MS 30000

static const char *const actions[LISTS] = {"CoreShowChannels", "DeviceStateList", "QueueStatus"};

struct list {
	struct snapshot *snapshot;
	bool is_open; /* items or the answer are to come */
	bool is_refused;
	size_t items;
};

struct snapshot {
	struct ami_link *link;
	struct event_stream *stream;
	const char *pbx;
	struct timer *retry; /* after Asterisk refused the list of channels */
	struct list lists[LISTS];
	char id[ID_RANDOM_LEN + 1];
	bool is_running, again;
	uint64_t count;
};

static void end_snapshot(struct snapshot *snapshot)
{
	snapshot->is_running = false;
	if (snapshot->lists[CHANNELS].is_refused) {
		/* Without the channels an end marker would close every call. */
		timer_again(snapshot->retry, RETRY_MS);
		return;
	}
	event_stream_snapshot_end(snapshot->stream, snapshot->id, snapshot->lists[CHANNELS].items);
	snapshot->count++;
	log_info("snapshot written", log_str("pbx", snapshot->pbx),
		 log_int("channels", (int64_t)snapshot->lists[CHANNELS].items),
		 log_int("devices", (int64_t)snapshot->lists[1].items),
		 log_int("queue_items", (int64_t)snapshot->lists[2].items));
	if (snapshot->again)
		snapshot_start(snapshot);
}

static void end_list(struct list *list)
{
	struct snapshot *snapshot = list->snapshot;

	list->is_open = false;
	for (size_t i = 0; i < LISTS; i++)
		if (snapshot->lists[i].is_open)
			return;
	end_snapshot(snapshot);
}

static void refuse(struct list *list, const struct ami_message *message)
{
	struct snapshot *snapshot = list->snapshot;
	char text[96];

	list->is_refused = true;
	ami_header_copy(ami_first(message, "Message"), text, sizeof(text));
	log_error("Asterisk refuses a list", log_str("pbx", snapshot->pbx),
		  log_str("action", actions[list - snapshot->lists]), log_str("reason", text));
}

static void on_answer(enum ami_part part, const struct ami_message *message, void *context)
{
	struct list *list = context;

	switch (part) {
	case AMI_PART_FIRST:
		break;
	case AMI_PART_ITEM:
		list->items++;
		event_stream_event(list->snapshot->stream, message, clock_wall_ms());
		break;
	case AMI_PART_LAST:
		if (message->kind == AMI_RESPONSE)
			refuse(list, message);
		end_list(list);
		break;
	case AMI_PART_LOST:
		list->is_open = false;
		break;
	}
}

void snapshot_start(struct snapshot *snapshot)
{
	snapshot->again = snapshot->is_running;
	if (snapshot->is_running)
		return;
	snapshot->is_running = true;
	id_random(snapshot->id);
	event_stream_snapshot_begin(snapshot->stream, snapshot->id);
	for (size_t i = 0; i < LISTS; i++)
		snapshot->lists[i] = (struct list){.snapshot = snapshot, .is_open = true};
	for (size_t i = 0; i < LISTS; i++)
		if (ami_link_ask(snapshot->link, actions[i], on_answer, &snapshot->lists[i]) < 0) {
			ami_link_reset(snapshot->link, "cannot ask for the lists");
			return;
		}
}

void snapshot_abort(struct snapshot *snapshot)
{
	snapshot->is_running = snapshot->again = false;
}

static void on_retry(void *context)
{
	struct snapshot *snapshot = context;

	if (ami_link_is_up(snapshot->link))
		snapshot_start(snapshot);
}

struct snapshot *snapshot_new(uv_loop_t *loop, struct ami_link *link, struct event_stream *stream,
			      const char *pbx)
{
	struct snapshot *snapshot = mem_new(struct snapshot);

	snapshot->link = link;
	snapshot->stream = stream;
	snapshot->pbx = pbx;
	snapshot->retry = timer_start(loop, INT32_MAX, 0, on_retry, snapshot);
	return snapshot;
}

void snapshot_free(struct snapshot **_snapshot)
{
	struct snapshot *snapshot = *_snapshot;

	*_snapshot = NULL;
	if (snapshot == NULL)
		return;
	timer_stop(&snapshot->retry);
	free(snapshot);
}

uint64_t snapshot_count(const struct snapshot *snapshot)
{
	return snapshot->count;
}

bool snapshot_is_item(const char *name, size_t len)
{
	static const char *const items[] = {"CoreShowChannel",
					    "CoreShowChannelsComplete",
					    "DeviceStateListComplete",
					    "QueueParams",
					    "QueueMember",
					    "QueueEntry",
					    "QueueStatusComplete"};

	for (size_t i = 0; i < sizeof(items) / sizeof(items[0]); i++)
		if (strlen(items[i]) == len && memcmp(items[i], name, len) == 0)
			return true;
	return false;
}
