/* The clock of the transfers: fires deadlines that have passed, whichever instance began them, and
   looks at all that are under way when something may have been missed. */
#ifndef TRANSFER_SVC_DEADLINES_H
#define TRANSFER_SVC_DEADLINES_H

#include "engine.h"

#include <uv.h>

struct deadlines;

/* All borrowed for its life. */
struct deadlines *deadlines_open(uv_loop_t *loop, struct redis_link *link, struct engine *engine);
void deadlines_close(struct deadlines **deadlines);
/* After a while in which call-lifecycle learns it too: all that are under way are held against
   their calls. */
void deadlines_check_all(struct deadlines *deadlines);

#endif
