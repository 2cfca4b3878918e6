/* The entries of actions that were taken lately. A Redis that lost its newest writes (a fail-over)
   delivers again what was sent to Asterisk already; by then its pending list knows nothing of it.
 */
#ifndef RECENT_IDS_H
#define RECENT_IDS_H

#include "stream_id.h"

#include <stdbool.h>

#define RECENT_IDS 1024 /* more than are asked for within the life of one action */

struct recent_ids {
	struct stream_id ids[RECENT_IDS];
	size_t next;
};

/* Whether it is known already; it is from now on. */
bool recent_ids_add(struct recent_ids *recent, const char *entry_id);

#endif
