/* All webhooks: one instance of the service delivers (it holds the lease "webhooks"), any answers
   REST. */
#ifndef WS_FANOUT_WEBHOOKS_H
#define WS_FANOUT_WEBHOOKS_H

#include "hub.h"

struct webhooks;

/* All borrowed; owner is host:pid:random. The hub's link must be there. */
struct webhooks *webhooks_new(uv_loop_t *loop, struct hub *hub, const char *owner);
void webhooks_free(struct webhooks **webhooks);
/* Events have come. */
void webhooks_wake(struct webhooks *webhooks);
/* REST has changed something. */
void webhooks_reload(struct webhooks *webhooks);

#endif
