/* Records in MongoDB, each with its version and its whole history. On a thread of the pool.

   A document: its fields, and "_id", "v" (version, from 1), "createdAt", "createdBy", "updatedAt",
   "updatedBy", "deletedAt" when it is deleted, and "k", which is the daemon's own: what searches
   and lists are answered with ("live", "words", "numbers", "emails").

   A version is claimed before it is written: "changes" gets a document whose id is kind, id and
   version, which only one can make, and which holds the record as it is to be. Whoever finds a
   claim whose record was never written (its writer died) writes it first. */
#ifndef CRM_DATA_SVC_RECORD_H
#define CRM_DATA_SVC_RECORD_H

#include "db.h"
#include "kinds.h"

struct actor {
	const char *id;   /* user id; "system" for the daemon */
	const char *name; /* for people */
};

extern const struct actor actor_system;

DB_MUST enum db_result record_get(struct db *db, const struct kind *kind, const char *id,
				  cJSON **doc_r);
bool record_is_live(const cJSON *doc);
int64_t record_version(const cJSON *doc);

/* doc has its _id and its fields; the rest is filled in. DB_DUPLICATE: the id is taken. */
DB_MUST enum db_result record_create(struct db *db, const struct kind *kind, cJSON *doc,
				     const struct actor *actor, const char *action);
/* before as it was read, after as it is to be; its version is set. DB_CONFLICT: somebody else was
   first; read it again. */
DB_MUST enum db_result record_change(struct db *db, const struct kind *kind, const cJSON *before,
				     cJSON *after, const struct actor *actor, const char *action);
/* Marks it as deleted or takes the mark away; then record_change(). */
void record_set_deleted(cJSON *doc, bool deleted);

/* The document as people get it. */
void record_public(cJSON *doc);
/* Versions before `before` (0: from the newest, which is `newest`), at most limit, newest first. */
DB_MUST enum db_result record_history(struct db *db, const struct kind *kind, const char *id,
				      int64_t newest, int64_t before, size_t limit, cJSON **list_r);

#endif
