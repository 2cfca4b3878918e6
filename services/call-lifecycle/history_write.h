/* The statements that put a batch into MariaDB: one transaction, with the number of the batch as
   what can be there only once. */
#ifndef LIFECYCLE_HISTORY_WRITE_H
#define LIFECYCLE_HISTORY_WRITE_H

#include "history_batch.h"
#include "sql.h"
#include "store.h"

struct history_position {
	int64_t number; /* of the last batch that is written; 0: none */
	char calls_upto[STORE_ID_MAX], agents_upto[STORE_ID_MAX];
};

/* fn gets SQL_DUPLICATE when another process has written a batch of this number. Without a batch
   (NULL) only the position moves. Everything is copied. */
void history_write(struct sql_pool *sql, const struct history_position *position,
		   struct history_batch *batch, sql_done_fn *fn, void *context);
/* fn gets one row: number, calls_upto, agents_upto; or none. */
void history_ask_position(struct sql_pool *sql, sql_done_fn *fn, void *context);
/* Removes at most some thousand rows that began before at; the last
   result's affected says how many calls. */
void history_prune(struct sql_pool *sql, int64_t before_at, int64_t batch_number, sql_done_fn *fn,
		   void *context);

#endif
