/* The streams: entries in, events to the hub. */
#ifndef WS_FANOUT_SOURCE_H
#define WS_FANOUT_SOURCE_H

#include "health.h"
#include "hub.h"

#include <uv.h>

struct source;

/* All borrowed for the life of the source. */
struct source *source_new(uv_loop_t *loop, struct hub *hub, struct health_item *health);
/* The command link is up: the first time, the hub starts where the streams stand. */
void source_link_up(struct source *source);
void source_free(struct source **source);

#endif
