#include "outlet.h"

#define PATIENCE_MS 20   /* the client had no chance to read before */
#define STALLED_MS  1000 /* so long it may take nothing while too much waits */
#define GRACE_MS    5000 /* so long too much may wait for a client that does take something */
#define BURST       8    /* times the bound: what one batch of events may bring at once */

void outlet_send_reply(struct outlet *outlet, struct frame *frame)
{
	if (!outlet->open)
		return;
	outbox_push(&outlet->outbox, frame);
	outlet->class->wake(outlet);
}

void outlet_close(struct outlet *outlet, enum close_code code, const char *reason)
{
	if (outlet->open)
		outlet->class->close(outlet, code, reason);
}

static bool is_over(const struct outlet *outlet)
{
	return outlet->outbox.bytes > outlet->limits->queue_max;
}

static void resync(struct outlet *outlet)
{
	outlet->limits->metrics->ws_resyncs_total++;
	outbox_drop_waiting(&outlet->outbox);
	outlet_close(outlet, CLOSE_RESYNC, "too slow: come back with your cursors");
}

/* Below three quarters of the bound nothing is held against it any more. */
static void settle(struct outlet *outlet)
{
	if (outlet->outbox.bytes <= outlet->limits->queue_max / 4 * 3) {
		outlet->over_since = 0;
		outlet->coalesce_at = 0;
	}
	if (!outlet->wants_room || !outlet->open || !outlet_has_room(outlet))
		return;
	outlet->wants_room = false;
	outlet->class->on_room(outlet);
}

static bool is_too_late(const struct outlet *outlet, uint64_t now)
{
	uint64_t taken_at =
		outlet->taken_at > outlet->over_since ? outlet->taken_at : outlet->over_since;

	return outlet->outbox.bytes > BURST * outlet->limits->queue_max ||
	       now - taken_at > STALLED_MS || now - outlet->over_since > GRACE_MS;
}

void outlet_judge(struct outlet *outlet)
{
	uint64_t now = uv_now(outlet->limits->loop);

	if (!outlet->open || !is_over(outlet))
		return;
	if (outlet->over_since == 0)
		outlet->over_since = now;
	if (now - outlet->over_since < PATIENCE_MS)
		return;
	/* Coalescing looks at every waiting frame: not again for each event that comes then. */
	if (outlet->outbox.bytes >= outlet->coalesce_at) {
		outlet->limits->metrics->ws_coalesced_total += outbox_coalesce(&outlet->outbox);
		outlet->coalesce_at = outlet->outbox.bytes + outlet->limits->queue_max / 4;
		settle(outlet);
	}
	if (outlet->over_since != 0 && is_too_late(outlet, now))
		resync(outlet);
}

void outlet_send(struct outlet *outlet, struct frame *frame)
{
	outlet_send_reply(outlet, frame);
	if (is_over(outlet))
		outlet_judge(outlet);
}

void outlet_drained(struct outlet *outlet)
{
	outlet->taken_at = uv_now(outlet->limits->loop);
	settle(outlet);
}

bool outlet_has_room(const struct outlet *outlet)
{
	return outlet->outbox.bytes < outlet->limits->queue_max / 4;
}

void outlet_want_room(struct outlet *outlet)
{
	outlet->wants_room = true;
}
