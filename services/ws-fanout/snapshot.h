/* Calls, agents or queues as they are now, as messages to one client. */
#ifndef WS_FANOUT_SNAPSHOT_H
#define WS_FANOUT_SNAPSHOT_H

#include "store.h"

struct client;

/* In parts of about SNAPSHOT_PART bytes; the last one says so. */
#define SNAPSHOT_PART 65536
void snapshot_send(struct client *client, enum topic topic, const struct store_snapshot *snapshot);

#endif
