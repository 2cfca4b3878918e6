/* Where a client stands in every topic, in one text: for Last-Event-ID and for connection-state
   recovery, which keep one word. The entry ids in the order of enum topic, parted by "_". */
#ifndef WS_FANOUT_OFFSET_H
#define WS_FANOUT_OFFSET_H

#include "positions.h"

#define OFFSET_TEXT_MAX (TOPIC_COUNT * ENTRY_ID_TEXT_MAX)

/* text holds OFFSET_TEXT_MAX. Returns text. */
const char *offset_format(const struct entry_id *at, char *text);
/* An offset, or cursors parted by commas ("call:1718-0,agent:1718-2"). */
bool offset_parse(const char *text, struct positions *positions_r);

#endif
