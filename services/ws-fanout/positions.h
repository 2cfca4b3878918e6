/* Where a client wants to go on: one stream position for some topics. */
#ifndef WS_FANOUT_POSITIONS_H
#define WS_FANOUT_POSITIONS_H

#include "cursor.h"

#include <cjson/cJSON.h>
#include <stddef.h>

struct positions {
	topic_set topics;
	struct entry_id at[TOPIC_COUNT];
};

/* Cursors as text. Returns 0, or -1 with *error_r (static). */
int positions_read(const char *const *cursors, size_t count, struct positions *positions_r,
		   const char **error_r);

/* The other way, as an array. The caller frees it. */
cJSON *positions_to_json(const struct positions *positions);

#endif
