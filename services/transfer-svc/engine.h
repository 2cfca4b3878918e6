/* Takes signals to transfers: loads one from Redis, decides, stores what changed with its events
   and actions in one transaction, and begins again when somebody else was quicker. Keeps nothing
   between two signals, so any instance may take any of them. */
#ifndef TRANSFER_SVC_ENGINE_H
#define TRANSFER_SVC_ENGINE_H

#include "compose.h"
#include "decide.h"
#include "redis_link.h"
#include "transfer_metrics.h"

struct engine;

enum engine_result {
	ENGINE_DONE,      /* changed and stored */
	ENGINE_IGNORED,   /* nothing to change */
	ENGINE_REFUSED,   /* a command that cannot be followed in this state */
	ENGINE_OVER,      /* a command for what is over */
	ENGINE_FORBIDDEN, /* may() said no */
	ENGINE_NOT_FOUND,
	ENGINE_CONFLICT,    /* begin: the call has a transfer under way */
	ENGINE_TOO_LONG,    /* begin: target and extension do not fit */
	ENGINE_UNAVAILABLE, /* Redis is away */
};

/* transfer: as it is now, or NULL; other: of ENGINE_CONFLICT, the transfer under way. Borrowed. */
typedef void engine_done_fn(enum engine_result result, const struct transfer *transfer,
			    const char *other, void *context);
typedef bool engine_may_fn(const struct transfer *transfer, void *context);

/* link, limits and metrics are borrowed for the engine's life. */
struct engine *engine_new(struct redis_link *link, const struct limits *limits,
			  const struct compose_settings *compose, struct transfer_metrics *metrics);
/* What is under way must have been answered: close the link first. */
void engine_free(struct engine **engine);

/* Stores a new transfer in this state and sends its first action; a phone's own has none. done is
   called exactly once, maybe before this returns. */
void engine_begin(struct engine *engine, const struct transfer *transfer, enum transfer_state state,
		  engine_done_fn *done, void *context);
/* The signal's texts are copied where they are needed later. may: NULL or asked before a command.
   done is called exactly once, maybe before this returns. */
void engine_feed(struct engine *engine, const char *id, const struct signal *signal,
		 engine_may_fn *may, engine_done_fn *done, void *context);
enum engine_check {
	ENGINE_CHECK_NEWS,     /* the call has changed: how, the call says */
	ENGINE_CHECK_MISSED,   /* something was perhaps not heard */
	ENGINE_CHECK_DEADLINE, /* one that has passed fires, when the call says nothing else */
};

/* Looks at the call of a transfer: tells it what it missed, unless the streams are still to tell
   it. at: when that was, Unix ms; 0: now. Time stands still while Asterisk is not connected. */
void engine_check(struct engine *engine, const char *id, enum engine_check why, int64_t at,
		  engine_done_fn *done, void *context);

#endif
