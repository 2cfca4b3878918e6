/* Two clients that are one: what belongs to the second goes to the first, and can go back. On a
   thread of the pool.

   A document of "merges" holds both as they were. Each record that is moved remembers the merge, so
   that an undo moves back just these; so does each of the clients, so that every step knows whether
   it was done. A merge or an undo whose daemon died is finished by merge_settle(), which also moves
   what came to the second client in the very moment. */
#ifndef CRM_DATA_SVC_MERGE_H
#define CRM_DATA_SVC_MERGE_H

#include "record.h"

#define MERGES "merges"

/* Both as they were read; merge_id: of a merge that is not there yet. *client_r is the first one
   afterwards. DB_CONFLICT: one of them is not what it was; nothing was done. */
DB_MUST enum db_result merge_clients(struct db *db, const char *merge_id, const cJSON *into,
				     const cJSON *from, const struct actor *actor,
				     cJSON **client_r);
DB_MUST enum db_result merge_get(struct db *db, const char *merge_id, cJSON **merge_r);
/* DB_CONFLICT: it was undone, or one of both has changed since so that it cannot be undone (the
   first was merged itself, or deleted). */
DB_MUST enum db_result merge_undo(struct db *db, const cJSON *merge, const struct actor *actor,
				  cJSON **client_r);
/* As people get it: which two, who and when, and what became of it. */
void merge_public(cJSON *merge);
DB_MUST enum db_result merge_settle(struct db *db, const char *merge_id);

#endif
