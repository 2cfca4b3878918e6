/* Imports and exports of many records: documents of "jobs", and what goes in and comes out in
   pieces, documents of "job_parts" that are found by their ids. On a thread of the pool.

   A piece may be done twice and comes to the same; "at" says how many are done for good. So whoever
   finds a job that another one left goes on where that one was. */
#ifndef CRM_DATA_SVC_JOB_H
#define CRM_DATA_SVC_JOB_H

#include "lines.h"
#include "task.h"

#define JOBS      "jobs"
#define JOB_PARTS "job_parts"
#define JOB_PIECE 100 /* records */

/* One piece of a job. */
struct job_step {
	struct service *service; /* its settings alone */
	char id[64];
	enum db_result result; /* not DB_OK: to be tried again */
	bool is_over;          /* there is nothing more to do */
	cJSON *events;         /* owned: for store_commit(), as reminders */
	cJSON *reminders;
};

void job_step(struct db *db, struct job_step *step);

/* A new job of who; the caller adds what it is about and inserts it. Owned by the caller. */
cJSON *job_new(const char *type, const struct kind *kind, const struct principal *who);
void job_principal(const cJSON *job, struct principal *who_r);
/* As people get it. */
void job_public(cJSON *job);
bool job_is_over(const cJSON *job);
/* Documents of custom fields, for the columns of clients. */
DB_MUST enum db_result job_definitions(struct db *db, cJSON **list_r);

/* part: "in", "out" or "errors". Takes over doc. */
DB_MUST enum db_result job_put_part(struct db *db, const cJSON *job, const char *part, int64_t n,
				    cJSON *doc);
DB_MUST enum db_result job_get_part(struct db *db, const char *job_id, const char *part, int64_t n,
				    cJSON **doc_r);
/* set: what becomes of it, {field: value}, with the next "at"; taken over. DB_CONFLICT: somebody
   else was faster. */
DB_MUST enum db_result job_advance(struct db *db, const cJSON *job, cJSON *set);
/* Add to a set that it goes on; that it is over, with what it came to. They return set. */
cJSON *job_ran(cJSON *set);
cJSON *job_ended(cJSON *set, const char *state);
/* Wishes that it ends; it does so after the piece that is under way. */
DB_MUST enum db_result job_cancel(struct db *db, const char *id);
/* Who touched which clients in this piece: kept before the piece counts. */
DB_MUST enum db_result job_audit(struct db *db, const cJSON *job, const cJSON *clients);
/* Input and results older than keep_ms go; the jobs themselves after thirty days. */
void job_sweep(struct db *db, int64_t keep_ms);

/* The job of the request's path, when it is the caller's or the caller sees all. NULL: it was
   refused. */
cJSON *job_of_caller(struct db *db, struct task *task);

/* One piece each: job_import.c, job_export.c. */
DB_MUST enum db_result job_import_piece(struct db *db, struct job_step *step, const cJSON *job);
DB_MUST enum db_result job_export_piece(struct db *db, const cJSON *job);

#endif
