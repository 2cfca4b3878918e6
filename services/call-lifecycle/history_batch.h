/* What is written to MariaDB at once: calls that ended and spans of agents' time, as JSON texts
   that the database itself takes apart (JSON_TABLE), so that a batch is a handful of statements
   however large it is. Pure: no I/O. */
#ifndef LIFECYCLE_HISTORY_BATCH_H
#define LIFECYCLE_HISTORY_BATCH_H

#include "json.h"
#include "zone.h"

#include <hiredis/hiredis.h>
#include <stdint.h>

/* A zeroed one is empty; json_writers of its arrays are open until history_batch_finish(). */
struct history_batch {
	struct history_list {
		struct buffer text;
		size_t count;
	} calls, segments, parties, recordings, spans, pieces, steps;
	int64_t *quarters; /* begins of those in which something of it began, each once */
	size_t quarter_count;
};

/* reply: of store_call_get() with all fields. False: it is no call, or it has not ended. */
bool history_batch_add_call(struct history_batch *batch, const redisReply *reply);
/* event: an agent:changed. False when it ends no span. zones: of the sums by day. */
bool history_batch_add_span(struct history_batch *batch, const cJSON *event,
			    const struct zones *zones);
/* The steps of the sums that the calls lie in. After the last call. */
void history_batch_finish(struct history_batch *batch, const struct zones *zones);
/* "[...]": borrowed until the batch changes. */
const char *history_list_text(struct history_list *list);
void history_batch_free(struct history_batch *batch);

#endif
