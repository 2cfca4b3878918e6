/* Delivers the events of one webhook: in order, one at a time, from its positions on; tries again
   with back-off, and gives up at last. It takes events from the backlog, or from Redis when they
   are older, whenever it is free: nothing waits for it. */
#ifndef WS_FANOUT_COURIER_H
#define WS_FANOUT_COURIER_H

#include "http_client.h"
#include "hub.h"
#include "webhook.h"

struct courier;

/* Takes over what is in the webhook. All others are borrowed. */
struct courier *courier_new(uv_loop_t *loop, struct hub *hub, struct http_client *http,
			    struct webhook *webhook);
void courier_free(struct courier **courier);
const char *courier_id(const struct courier *courier);
int64_t courier_revision(const struct courier *courier);
/* Something may have happened that it waits for. */
void courier_wake(struct courier *courier);
/* Saves how far it has come past events that are not for it. */
void courier_save(struct courier *courier);

#endif
