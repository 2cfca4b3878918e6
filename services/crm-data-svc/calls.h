/* The call meets the record: reads events:call as the one consumer of the group crm-data-svc (a
   lease says who), opens one interaction for each call, tells who calls before the call is
   answered, and closes the interaction with what the call came to.

   A batch goes: match (MongoDB) -> crm:client_matched -> what the calls were at their end (Redis)
   -> interactions (MongoDB) -> XACK. Whatever fails is tried again from the first step, for as long
   as it takes; an interaction holds the id of the last entry that is in it, so nothing counts
   twice. */
#ifndef CRM_DATA_SVC_CALLS_H
#define CRM_DATA_SVC_CALLS_H

#include "service.h"

struct calls;

struct calls *calls_open(struct service *service);
void calls_mongo_up(struct calls *calls);
/* No further batch. */
void calls_drain(struct calls *calls);
bool calls_idle(const struct calls *calls);
void calls_close(struct calls **calls);

#endif
