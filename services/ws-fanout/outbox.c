#include "outbox.h"

#include "mem.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define KEPT_CAP 8 /* an empty outbox gives its memory back when it was larger */

bool outbox_is_sane(const struct outbox *outbox)
{
	return outbox->head + outbox->count <= outbox->cap && outbox->held <= outbox->count &&
	       (outbox->count > 0) == (outbox->bytes > 0) &&
	       (outbox->count > 0 || outbox->offset == 0);
}

static struct frame **first(const struct outbox *outbox)
{
	return outbox->frames + outbox->head;
}

static void make_room(struct outbox *outbox)
{
	if (outbox->head + outbox->count < outbox->cap)
		return;
	if (outbox->head > outbox->cap / 2) {
		memmove(outbox->frames, first(outbox), outbox->count * sizeof(*outbox->frames));
		outbox->head = 0;
		return;
	}
	outbox->cap = outbox->cap == 0 ? KEPT_CAP : outbox->cap * 2;
	outbox->frames = mem_grow(outbox->frames, outbox->cap * sizeof(*outbox->frames));
}

void outbox_push(struct outbox *outbox, struct frame *frame)
{
	make_room(outbox);
	first(outbox)[outbox->count++] = frame_ref(frame);
	outbox->bytes += frame->len;
	assert(outbox_is_sane(outbox));
}

unsigned outbox_peek(const struct outbox *outbox, uv_buf_t *bufs, unsigned max)
{
	unsigned count = outbox->count < max ? outbox->count : max;
	for (unsigned i = 0; i < count; i++) {
		struct frame *frame = first(outbox)[i];
		size_t skip = i == 0 ? outbox->offset : 0;
		bufs[i] = uv_buf_init(frame->data + skip, (unsigned)(frame->len - skip));
	}
	return count;
}

void outbox_hold(struct outbox *outbox, unsigned count)
{
	outbox->held = count;
	assert(outbox_is_sane(outbox));
}

static void settle(struct outbox *outbox)
{
	if (outbox->count > 0)
		return;
	outbox->head = 0;
	if (outbox->cap > KEPT_CAP) {
		free(outbox->frames);
		outbox->frames = NULL;
		outbox->cap = 0;
	}
}

unsigned outbox_written(struct outbox *outbox, size_t len)
{
	unsigned completed = 0;
	assert(len <= outbox->bytes);
	outbox->held = 0;
	outbox->bytes -= len;
	outbox->offset += len;
	while (outbox->count > 0 && outbox->offset >= first(outbox)[0]->len) {
		outbox->offset -= first(outbox)[0]->len;
		frame_unref(first(outbox));
		outbox->head++;
		outbox->count--;
		completed++;
	}
	settle(outbox);
	assert(outbox_is_sane(outbox));
	return completed;
}

/* How many frames at the front must stay: held ones, and one that is partly on the wire. */
static uint32_t fixed_count(const struct outbox *outbox)
{
	return outbox->held > 0 ? outbox->held : outbox->offset > 0;
}

/* Keys seen, open addressing; 0 marks a free slot. Returns whether key was there already. */
static bool key_seen(uint64_t *keys, size_t mask, uint64_t key)
{
	size_t slot = key & mask;
	while (keys[slot] != 0 && keys[slot] != key)
		slot = (slot + 1) & mask;
	bool seen = keys[slot] == key;
	keys[slot] = key;
	return seen;
}

/* From the newest to the oldest: drops what a later frame replaces, leaving NULL. */
static unsigned drop_replaced(struct outbox *outbox, uint32_t fixed)
{
	size_t slots = 16;
	while (slots < (size_t)outbox->count * 2)
		slots *= 2;
	uint64_t *keys = mem_array(uint64_t, slots);
	unsigned dropped = 0;
	for (uint32_t i = outbox->count; i-- > fixed;) {
		struct frame **frame = first(outbox) + i;
		if ((*frame)->key == 0 || !key_seen(keys, slots - 1, (*frame)->key))
			continue;
		outbox->bytes -= (*frame)->len;
		frame_unref(frame);
		dropped++;
	}
	free(keys);
	return dropped;
}

unsigned outbox_coalesce(struct outbox *outbox)
{
	uint32_t kept = fixed_count(outbox);
	unsigned dropped = drop_replaced(outbox, kept);
	for (uint32_t i = kept; i < outbox->count; i++) {
		struct frame *frame = first(outbox)[i];
		if (frame != NULL)
			first(outbox)[kept++] = frame;
	}
	outbox->count = kept;
	assert(outbox_is_sane(outbox));
	return dropped;
}

void outbox_drop_waiting(struct outbox *outbox)
{
	uint32_t fixed = fixed_count(outbox);
	while (outbox->count > fixed) {
		struct frame **last = first(outbox) + --outbox->count;
		outbox->bytes -= (*last)->len;
		frame_unref(last);
	}
	settle(outbox);
	assert(outbox_is_sane(outbox));
}

int64_t outbox_oldest_ms(const struct outbox *outbox)
{
	for (uint32_t i = 0; i < outbox->count; i++) {
		if (first(outbox)[i]->event_ms != 0)
			return first(outbox)[i]->event_ms;
	}
	return 0;
}

size_t outbox_events(const struct outbox *outbox)
{
	size_t events = 0;
	for (uint32_t i = 0; i < outbox->count; i++)
		events += first(outbox)[i]->event_ms != 0;
	return events;
}

struct frame *outbox_take(struct outbox *outbox)
{
	struct frame *frame;

	assert(outbox->held == 0 && outbox->offset == 0);
	if (outbox->count == 0)
		return NULL;
	frame = first(outbox)[0];
	outbox->bytes -= frame->len;
	outbox->head++;
	outbox->count--;
	settle(outbox);
	return frame;
}

void outbox_free(struct outbox *outbox)
{
	for (uint32_t i = 0; i < outbox->count; i++)
		frame_unref(first(outbox) + i);
	free(outbox->frames);
	*outbox = (struct outbox){0};
}
