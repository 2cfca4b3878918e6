/* Cursors, "call:1718000000000-0": the topic, and the id of the last stream entry that was seen. */
#ifndef WS_FANOUT_CURSOR_H
#define WS_FANOUT_CURSOR_H

#include "topic.h"

#include <stdbool.h>
#include <stdint.h>

struct entry_id {
	uint64_t ms;
	uint64_t seq;
};

#define ENTRY_ID_TEXT_MAX 42 /* two numbers of 20 digits, a dash, a NUL */

/* "1718-0" or "1718" (seq 0). False for anything else. */
bool entry_id_parse(const char *text, struct entry_id *id_r);
/* text holds ENTRY_ID_TEXT_MAX. Returns text. */
const char *entry_id_format(struct entry_id id, char *text);
bool cursor_parse(const char *text, enum topic *topic_r, struct entry_id *id_r);

static inline int entry_id_compare(struct entry_id a, struct entry_id b)
{
	if (a.ms != b.ms)
		return a.ms < b.ms ? -1 : 1;
	return a.seq < b.seq ? -1 : a.seq > b.seq;
}

#endif
