/* The way to one client, whatever carries it (a WebSocket, long polls, a stream): frames that wait,
   bounded. What a batch of events brings at once may pass the bound; a client that is still behind
   a moment later is thinned out (of events with one key the last stays); one that takes nothing, or
   stays behind, is told to come back. */
#ifndef WS_FANOUT_OUTLET_H
#define WS_FANOUT_OUTLET_H

#include "metrics_list.h"
#include "outbox.h"

#include <uv.h>

/* RFC 6455 section 7.4.1, then our own: docs/live.md explains each. */
enum close_code {
	CLOSE_NORMAL = 1000,
	CLOSE_GOING_AWAY = 1001,
	CLOSE_PROTOCOL = 1002,
	CLOSE_POLICY = 1008,
	CLOSE_TRY_LATER = 1013,
	CLOSE_UNAUTHORIZED = 4401,
	CLOSE_REVOKED = 4403,
	CLOSE_RESYNC = 4408,
	CLOSE_TOO_MANY = 4429
};

struct outlet;

struct outlet_class {
	/* Something waits: write it before the loop sleeps. */
	void (*wake)(struct outlet *outlet);
	/* What waits is still sent, then the end. reason is copied. */
	void (*close)(struct outlet *outlet, enum close_code code, const char *reason);
	/* After outlet_want_room(): less than a quarter of the bound waits. */
	void (*on_room)(struct outlet *outlet);
};

/* What all outlets of a server share. */
struct outlet_limits {
	uv_loop_t *loop;
	size_t queue_max; /* bytes */
	struct fanout_metrics *metrics;
};

/* Embedded in what carries it, which sets class, limits and open. */
struct outlet {
	const struct outlet_class *class;
	const struct outlet_limits *limits;
	struct outbox outbox;
	uint64_t over_since; /* loop time: since when more waits than allowed; 0: it does not */
	uint64_t taken_at;   /* loop time: when the client last took something */
	size_t coalesce_at;  /* thinned out again when so much waits */
	bool open;           /* frames are taken */
	bool wants_room;
};

/* An event: bounded. Takes a reference of its own. Does nothing when it is not open. */
void outlet_send(struct outlet *outlet, struct frame *frame);
/* The same for what was asked for and is bounded by itself: however much waits already. */
void outlet_send_reply(struct outlet *outlet, struct frame *frame);
void outlet_close(struct outlet *outlet, enum close_code code, const char *reason);
/* Closes it when too much has waited for too long. */
void outlet_judge(struct outlet *outlet);
/* For its carrier: after something was taken out of the outbox. */
void outlet_drained(struct outlet *outlet);
bool outlet_has_room(const struct outlet *outlet);
void outlet_want_room(struct outlet *outlet);

#endif
