/* Some entries of events:call on their way into interactions. The functions named _work run on a
   thread of the pool, the others on the loop. */
#ifndef CRM_DATA_SVC_CALL_BATCH_H
#define CRM_DATA_SVC_CALL_BATCH_H

#include "db.h"
#include "phone.h"
#include "stream_reader.h"

struct call_batch {
	const struct phone_rules *phones; /* borrowed */
	int64_t repeat_ms;                /* a client who is back within it is a repeat caller */
	/* Owned. */
	cJSON *entries; /* [{"id", "event"}] in order; "event" missing: it is none */
	cJSON *acks;    /* their ids */
	cJSON *ended;   /* callIds of those that end in it */
	cJSON *calls;   /* what these were at their end: see store_get_calls() */
	cJSON *matches; /* {callId: {"number", "clients": [summary], "teams"...}} */
	cJSON *events;  /* crm:client_matched, to be told */
	enum db_result result;
	unsigned opened, closed, matched;
};

void call_batch_init(struct call_batch *batch, const struct stream_entry *entries, size_t count);
void call_batch_free(struct call_batch *batch);

/* The party that is no extension of ours, as a number; false: there is none. */
bool call_batch_number(const struct call_batch *batch, const cJSON *event, char out[PHONE_MAX]);
/* Finds the clients of calls that nobody has answered yet. */
void call_batch_match_work(struct db *db, void *batch);
/* Opens, changes and closes interactions. */
void call_batch_write_work(struct db *db, void *batch);

#endif
