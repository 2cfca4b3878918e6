/* A call as call-lifecycle keeps it, read for a transfer: who speaks with whom. */
#ifndef TRANSFER_SVC_CALL_H
#define TRANSFER_SVC_CALL_H

#include "principal.h"
#include "transfer.h"

#include <cjson/cJSON.h>

struct call {
	const char *id, *pbx, *state, *into;                 /* borrowed from the reply */
	cJSON *channels, *extensions, *segments, *transfers; /* owned */
};

/* A channel of it; texts are "" where there is none, and belong to the call. */
struct call_party {
	const char *uniqueid, *channel, *extension, *number, *bridge, *peer;
	bool local, up;
};

/* reply: of store_call(), which outlives the call. False when there is no such call. */
bool call_read(struct call *call, const redisReply *reply);
void call_free(struct call *call);
bool call_has_ended(const struct call *call);
bool call_has_extension(const struct call *call, const char *extension);
/* The two that speak: the agent is this extension, or when that is "" the first of ours. */
bool call_find_pair(const struct call *call, const char *extension, struct call_party *agent_r,
		    struct call_party *customer_r);
/* What the call says of a transfer under way, for one who missed what the dialplan told. False:
   nothing that would change it. */
bool call_tells(const struct call *call, const struct transfer *transfer,
		enum transfer_input *input_r);
/* Of a call that is over: who asked by a phone's keys was with the customer again. */
bool call_came_together(const struct call *call);
/* Why who asked by a phone's keys is back with the customer; "" when nobody was asked. */
const char *call_why_returned(const struct call *call);

#endif
