/* What waits to be written to one client: whole frames, in order. Knows no socket.

   written .. offset of the first frame -- on the wire
   the first `held` frames              -- in the kernel's or libuv's hands, not to be moved
   the rest                             -- waiting, may still coalesce or be dropped */
#ifndef WS_FANOUT_OUTBOX_H
#define WS_FANOUT_OUTBOX_H

#include "frame.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

/* A zeroed struct is an empty outbox. */
struct outbox {
	struct frame **frames; /* owned, each with one reference */
	uint32_t head, count, cap;
	uint32_t held;
	size_t offset; /* bytes of the first frame that were written */
	size_t bytes;  /* that are not written yet */
};

/* Takes a reference of its own. */
void outbox_push(struct outbox *outbox, struct frame *frame);
/* The bytes to write next, in at most max pieces. Returns how many. */
unsigned outbox_peek(const struct outbox *outbox, uv_buf_t *bufs, unsigned max);
/* The first count frames must stay where they are until outbox_written(). */
void outbox_hold(struct outbox *outbox, unsigned count);
/* len bytes were written; nothing is held any more. Returns how many frames were completed. */
unsigned outbox_written(struct outbox *outbox, size_t len);
/* Of waiting frames with the same key only the last stays. Returns how many were dropped. */
unsigned outbox_coalesce(struct outbox *outbox);
/* Drops every frame of which no byte was written. */
void outbox_drop_waiting(struct outbox *outbox);
/* When the oldest waiting event was written to its stream, Unix ms; 0: no event waits. */
int64_t outbox_oldest_ms(const struct outbox *outbox);
/* How many of the frames are events. */
size_t outbox_events(const struct outbox *outbox);
/* The first frame, whole, with its reference; NULL when empty. Not for an outbox that is written.
 */
struct frame *outbox_take(struct outbox *outbox);
void outbox_free(struct outbox *outbox);
bool outbox_is_sane(const struct outbox *outbox);

#endif
