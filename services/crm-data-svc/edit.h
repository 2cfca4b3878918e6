/* New records and changes, as a request or a line of an import wants them: defaults, checks, the
   write, and what follows from it. On a thread of the pool; the answer is the task's. */
#ifndef CRM_DATA_SVC_EDIT_H
#define CRM_DATA_SVC_EDIT_H

#include "task.h"

/* The client that a record is about; NULL for none. Borrowed from doc. */
const char *edit_client_of(const struct task *task, const cJSON *doc);
/* doc: what fields_apply() made of body; taken over. */
void edit_create(struct db *db, struct task *task, const cJSON *body, cJSON *doc);
/* before: the record as it was read; it is live, and the caller may change it. */
void edit_change(struct db *db, struct task *task, const cJSON *before, const cJSON *body);
/* The last step of a change that needs no check. Takes over after. */
void edit_save(struct db *db, struct task *task, const cJSON *before, cJSON *after,
	       const char *action);

#endif
