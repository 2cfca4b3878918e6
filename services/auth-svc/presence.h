/* Looks after who is there: agents whose sessions have run out, or whose sockets have all been
   closed for a minute, are offline, not free; and what Redis says of an agent's availability, the
   dialplan reads in MariaDB. */
#ifndef AUTH_SVC_PRESENCE_H
#define AUTH_SVC_PRESENCE_H

#include "agents.h"
#include "store.h"

#include <uv.h>

struct presence;

/* All borrowed. */
struct presence *presence_open(uv_loop_t *loop, struct store *store, struct agents *agents);
void presence_close(struct presence **presence);

#endif
