/* Takes actions from actions:<pbx>, sends each at most once and never after its deadline, and
   replies to whoever asked.

   An entry that was delivered before and is not in hand here was taken by a gateway that died: it
   may have been sent, so its outcome is unknown and it is not sent again. Reply and acknowledgement
   are one transaction; when it is not known whether that was carried out it is repeated, so a reply
   may come twice (with the same id), an action never. */
#ifndef SENDER_H
#define SENDER_H

#include "ami_link.h"
#include "event_stream.h"
#include "gateway_metrics.h"
#include "lease.h"
#include "redis_settings.h"
#include "store.h"

struct sender;

struct sender_settings {
	uv_loop_t *loop;
	const struct redis_settings *redis; /* outlives the sender */
	struct store *store;
	struct event_stream *stream;
	struct gateway_metrics *metrics;
	const char *pbx;
	const struct lease *lease;     /* nothing is sent unless it is held */
	struct ami_link *const *links; /* the pool; may not be up */
	size_t link_count;
	/* Nothing is in hand any more. */
	void (*on_idle)(void *context);
	void *context;
};

/* All borrowed. Nothing is read before sender_run(). */
struct sender *sender_open(const struct sender_settings *set);
/* Idempotent: reads actions, what was taken and not acknowledged first. */
void sender_run(struct sender *sender);
/* Takes no more actions; answers still come. */
void sender_pause(struct sender *sender);
/* Redis is there again: what was answered and not stored is stored. */
void sender_retry(struct sender *sender);
size_t sender_in_hand(const struct sender *sender);
/* Before the links. What was sent and not answered is left unacknowledged: the next owner answers
   it. */
void sender_close(struct sender **sender);

#endif
