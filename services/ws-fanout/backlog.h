/* The latest events of one topic, so that a client that was away for a moment catches up without
   asking Redis. Bounded by count and by bytes. */
#ifndef WS_FANOUT_BACKLOG_H
#define WS_FANOUT_BACKLOG_H

#include "event.h"

struct backlog;

/* start: the last entry that was in the stream before the first event that will be added. */
struct backlog *backlog_new(struct entry_id start, size_t bytes_max);
void backlog_free(struct backlog **backlog);
/* Takes a reference of its own. Ids only grow. */
void backlog_add(struct backlog *backlog, struct event *event);
/* An entry was seen that is no event: the tip moves all the same. */
void backlog_skip(struct backlog *backlog, struct entry_id id);
/* Every event after the floor, up to the tip, is here. */
struct entry_id backlog_floor(const struct backlog *backlog);
/* The last entry that was seen. */
struct entry_id backlog_tip(const struct backlog *backlog);
/* How many events after id are here. */
size_t backlog_count_after(const struct backlog *backlog, struct entry_id id);
/* The first event after id, or NULL. Borrowed. id must not lie before the floor. */
struct event *backlog_after(const struct backlog *backlog, struct entry_id id);

#endif
