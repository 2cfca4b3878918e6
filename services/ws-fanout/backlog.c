#include "backlog.h"

#include "mem.h"

#include <stdlib.h>

#define EVENTS_MAX 4096 /* a power of two */
#define CAP_FIRST  64

struct backlog {
	struct event **events; /* ring, oldest at head */
	size_t head, count, cap;
	size_t bytes, bytes_max;
	struct entry_id floor, tip;
};

struct backlog *backlog_new(struct entry_id start, size_t bytes_max)
{
	struct backlog *backlog = mem_new(struct backlog);
	backlog->floor = backlog->tip = start;
	backlog->bytes_max = bytes_max;
	return backlog;
}

static struct event **at(const struct backlog *backlog, size_t index)
{
	return &backlog->events[(backlog->head + index) & (backlog->cap - 1)];
}

static void drop_oldest(struct backlog *backlog)
{
	struct event **oldest = at(backlog, 0);
	backlog->floor = (*oldest)->id;
	backlog->bytes -= (*oldest)->frames[EVENT_JSON]->len;
	event_unref(oldest);
	backlog->head = (backlog->head + 1) & (backlog->cap - 1);
	backlog->count--;
}

void backlog_free(struct backlog **backlog)
{
	struct backlog *old = *backlog;
	*backlog = NULL;
	if (old == NULL)
		return;
	while (old->count > 0)
		drop_oldest(old);
	free(old->events);
	free(old);
}

static void grow(struct backlog *backlog)
{
	size_t cap = backlog->cap == 0 ? CAP_FIRST : backlog->cap * 2;
	struct event **events = mem_array(struct event *, cap);
	for (size_t i = 0; i < backlog->count; i++)
		events[i] = *at(backlog, i);
	free(backlog->events);
	backlog->events = events;
	backlog->head = 0;
	backlog->cap = cap;
}

void backlog_add(struct backlog *backlog, struct event *event)
{
	if (backlog->count == backlog->cap && backlog->cap < EVENTS_MAX)
		grow(backlog);
	while (backlog->count > 0 &&
	       (backlog->count == backlog->cap ||
		backlog->bytes + event->frames[EVENT_JSON]->len > backlog->bytes_max))
		drop_oldest(backlog);
	*at(backlog, backlog->count) = event_ref(event);
	backlog->count++;
	backlog->bytes += event->frames[EVENT_JSON]->len;
	backlog->tip = event->id;
}

void backlog_skip(struct backlog *backlog, struct entry_id id)
{
	backlog->tip = id;
	if (backlog->count == 0)
		backlog->floor = id;
}

struct entry_id backlog_floor(const struct backlog *backlog)
{
	return backlog->floor;
}

struct entry_id backlog_tip(const struct backlog *backlog)
{
	return backlog->tip;
}

/* Of the first event after id; count when there is none. */
static size_t index_after(const struct backlog *backlog, struct entry_id id)
{
	size_t low = 0, high = backlog->count;
	while (low < high) {
		size_t middle = (low + high) / 2;
		if (entry_id_compare((*at(backlog, middle))->id, id) > 0)
			high = middle;
		else
			low = middle + 1;
	}
	return low;
}

size_t backlog_count_after(const struct backlog *backlog, struct entry_id id)
{
	return backlog->count - index_after(backlog, id);
}

struct event *backlog_after(const struct backlog *backlog, struct entry_id id)
{
	size_t index = index_after(backlog, id);

	return index < backlog->count ? *at(backlog, index) : NULL;
}
