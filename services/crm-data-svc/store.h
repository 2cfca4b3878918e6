/* Every Redis key and command of crm-data-svc. */
#ifndef CRM_DATA_SVC_STORE_H
#define CRM_DATA_SVC_STORE_H

#include "redis_link.h"

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define STORE_CALLS_STREAM "events:call"
#define STORE_CALLS_GROUP  "crm-data-svc"

/* ok: Redis has done it. False: it is away, or not known to have done it. Called exactly once,
   maybe before the function returns; may be NULL. */
typedef void store_done_fn(bool ok, void *context);

/* All in one transaction; each may be NULL. events: a list of crm_event_new(), for events:crm and
   crm:events. acks: ids of entries of events:call that are done with. reminders: for crm:reminders,
   {callbackId: when to remind}; 0 takes it out. */
void store_commit(struct redis_link *link, const cJSON *events, const cJSON *acks,
		  const cJSON *reminders, store_done_fn *done, void *context);

/* crm:rate:<userId>: adds count to what the user has listed in this minute; listed is -1 when Redis
   is away. */
typedef void store_rate_fn(int64_t listed, void *context);
void store_count_listed(struct redis_link *link, const char *user_id, int64_t count,
			store_rate_fn *fn, void *context);

/* What call:<callId> holds at its end: an object of texts, NULL when Redis is away; {} when the
   call is not there (any more). Borrowed. */
typedef void store_calls_fn(const cJSON *calls, void *context);
/* call_ids: a list of texts; the answer has one member for each. */
void store_get_calls(struct redis_link *link, const cJSON *call_ids, store_calls_fn *fn,
		     void *context);

/* ---- what is to be done at a time: sorted sets of ids ---- */

enum store_schedule {
	STORE_REMINDERS, /* crm:reminders: callbacks by when to remind */
	STORE_OUTBOX,    /* crm:outbox: messages by when to offer them to the provider */
	STORE_JOBS,      /* crm:jobs: imports and exports by when they were asked for */
	STORE_MERGES,    /* crm:merges: merges by when to see whether they are complete */
	STORE_MOVES,     /* crm:moves: clients by when to see whether all followed to their team */
};

/* at_ms 0 takes it out. */
void store_put_due(struct redis_link *link, enum store_schedule schedule, const char *id,
		   int64_t at_ms, store_done_fn *done, void *context);
/* Leaves one that is there as it is. */
void store_add_due(struct redis_link *link, enum store_schedule schedule, const char *id,
		   int64_t at_ms);
/* A list of ids, at most max; NULL when Redis is away. Borrowed. */
typedef void store_due_fn(const cJSON *ids, void *context);
void store_get_due(struct redis_link *link, enum store_schedule schedule, int64_t now_ms, int max,
		   store_due_fn *fn, void *context);

#endif
