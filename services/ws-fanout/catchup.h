/* How a client that comes back gets what it missed, without a hole and without a double.

   For each topic there is a position: everything up to it was sent. While it lies before the floor
   of the backlog, pages are read from Redis; from there on events come from the backlog; at its tip
   the topic is live. Live events pass by a topic that is not there yet. It never runs ahead of what
   the socket takes. */
#ifndef WS_FANOUT_CATCHUP_H
#define WS_FANOUT_CATCHUP_H

#include "positions.h"

#include <stdbool.h>

struct client;

/* Only topics of which the client is in a room. snapshot: calls, agents and queues as they are now
   first, then what comes after that. */
void catchup_begin(struct client *client, const struct positions *from, bool snapshot);
/* Whether live events of the topic must not be sent now. */
bool catchup_holds(const struct client *client, enum topic topic);
/* Goes on as far as it can without waiting. */
void catchup_step(struct client *client);
/* Up to where the topic was sent; false when it is live. */
bool catchup_position(const struct client *client, enum topic topic, struct entry_id *at_r);
void catchup_cancel(struct client *client);

#endif
