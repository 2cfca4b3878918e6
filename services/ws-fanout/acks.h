/* Acknowledged delivery: a client that asks for it says up to where it has worked events off. What
   it did not acknowledge comes again: on this socket after a while, or on the next. The position is
   kept in Redis under the name that the client chose. */
#ifndef WS_FANOUT_ACKS_H
#define WS_FANOUT_ACKS_H

#include "event.h"
#include "positions.h"

struct acks;
struct client;

#define ACKS_NAME_MAX 64

/* From here on, under this name. */
void acks_begin(struct client *client, const char *name, const struct positions *from);
void acks_free(struct acks **acks);
/* Notes that the event is on its way. Nothing for a client that does not acknowledge. */
void acks_sent(struct client *client, const struct event *event);
/* Returns 0, or -1 when the client did not ask for acknowledged delivery. */
int acks_take(struct client *client, const struct positions *acknowledged);
/* Once a second: sends again what has waited for too long. */
void acks_tick(struct client *client);

#endif
