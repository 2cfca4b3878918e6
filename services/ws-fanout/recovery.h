/* Connection-state recovery of Socket.IO: the client keeps the pid that it was given and the offset
   of its last event, and brings both when it comes back. The pid says where it began, for a client
   that came before any event; so nothing has to be kept here, and any server will do. */
#ifndef WS_FANOUT_RECOVERY_H
#define WS_FANOUT_RECOVERY_H

#include "ids.h"
#include "offset.h"

#include <cjson/cJSON.h>

struct recovery_id {
	char sid[ID_RANDOM_LEN + 1];
	char pid[ID_RANDOM_LEN + 1 + OFFSET_TEXT_MAX]; /* "": none was brought */
};

/* Reads pid and offset of an auth payload and puts "since" in, where that is not there. False: it
   brought no pid that can be ours. */
bool recovery_read(struct recovery_id *id, cJSON *auth);
/* A new id for a client that stands there; one that was brought stays. */
void recovery_begin(struct recovery_id *id, const struct entry_id *at);

#endif
