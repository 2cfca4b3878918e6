/* How records hang together: what a kind asks of others before it is written, and what follows when
   it was. On a thread of the pool. */
#ifndef CRM_DATA_SVC_LINKS_H
#define CRM_DATA_SVC_LINKS_H

#include "task.h"

/* What a new record has when the request does not say. */
void links_fill(const struct task *task, cJSON *doc);
/* body: what the request sets; doc: the record as it would be. DB_OK with fault_r->code set: it is
   refused. */
DB_MUST enum db_result links_check(struct db *db, const struct task *task, const cJSON *body,
				   cJSON *doc, struct fault *fault_r);
/* before NULL: it is new. */
void links_changed(struct db *db, struct task *task, const cJSON *before, const cJSON *doc,
		   const char *action);
/* What belongs to a client goes to its team: it is seen by whoever sees the client. */
DB_MUST enum db_result links_follow(struct db *db, const cJSON *client);
/* When to remind of a callback; 0: not (any more). */
int64_t links_reminder(const cJSON *callback);

#endif
