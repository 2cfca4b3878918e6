/* The resync: asks one Asterisk for everything that stands at the moment and puts the items between
   two markers on its event stream, so that readers close what is gone and adopt what they missed.
   Events that happen meanwhile stand between the items, in the order in which they came. */
#ifndef SNAPSHOT_H
#define SNAPSHOT_H

#include "ami_link.h"
#include "event_stream.h"

struct snapshot;

/* Both are borrowed. link is the event connection: on it lists and events come in one order. */
struct snapshot *snapshot_new(uv_loop_t *loop, struct ami_link *link, struct event_stream *stream,
			      const char *pbx);
/* After the link has lost its requests. */
void snapshot_free(struct snapshot **snapshot);
/* Starts one; when one is under way another follows it. The link must be up. */
void snapshot_start(struct snapshot *snapshot);
/* The link is down. */
void snapshot_abort(struct snapshot *snapshot);
/* Snapshots that were written to the end. */
uint64_t snapshot_count(const struct snapshot *snapshot);
/* Names that are items of lists only: as events of their own they are not Asterisk's. */
bool snapshot_is_item(const char *name, size_t len);

#endif
