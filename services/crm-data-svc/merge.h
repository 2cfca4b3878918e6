/* Two clients that are one: what belongs to the second goes to the first, and can go back. On a
   thread of the pool.

   A document of "merges" holds both as they were. Each record that is moved remembers the merge, so
   that an undo moves back just these. Every step may be done twice: a merge whose daemon died is
   finished by asking for it again. */
#ifndef CRM_DATA_SVC_MERGE_H
#define CRM_DATA_SVC_MERGE_H

#include "record.h"

/* Both as they were read; DB_OK with *merge_r: {"_id", "into", "from", "at", "by", "state"}.
 *client_r is the first one afterwards. */
DB_MUST enum db_result merge_clients(struct db *db, const cJSON *into, const cJSON *from,
				     const struct actor *actor, cJSON **client_r, cJSON **merge_r);
/* DB_NONE: there is none; DB_CONFLICT: one of both has changed since so that it cannot be undone
   (the first was merged itself, or deleted). */
DB_MUST enum db_result merge_undo(struct db *db, const char *merge_id, const struct actor *actor,
				  cJSON **client_r);

#endif
