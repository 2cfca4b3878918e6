/* Reads Redis streams in batches on a link of its own: as the one fixed consumer of a group
   (XREADGROUP), or without a group from cursors (XREAD).

   With a group: after every (re)connect the consumer's own pending entries are delivered first
   (replayed = true), then new ones. Delivery is at least once; the user acknowledges, best within
   the transaction that commits what the entry caused (see stream_reader_group()). Entries that were
   trimmed while pending are acknowledged here and skipped.
   Without a group: cursors live in the reader, move with delivery, and survive reconnects, so
   nothing is delivered twice to a running process. */
#ifndef COMMON_STREAM_READER_H
#define COMMON_STREAM_READER_H

#include "redis_settings.h"

#include <stdbool.h>
#include <stddef.h>
#include <uv.h>

struct stream_reader;

struct stream_entry {
	const char *stream;
	const char *id;   /* "ms-seq" */
	const char *data; /* value of the entry's one field; may hold any byte, NUL-terminated */
	size_t len;
	bool replayed; /* delivered before: it was pending */
};

struct stream_reader_settings {
	const struct redis_settings *redis; /* outlives the reader */
	const char *const *streams;         /* ended by NULL; outlives the reader */
	const char *const *cursors; /* no group: where to begin, "$" for new only; one per stream */
	const char *group, *consumer; /* NULL: no group */
	int batch_max;                /* COUNT */
	int block_ms;
	/* Borrowed for the call. The next batch is read only after stream_reader_next(), called
	   here or later. May close the reader. */
	void (*on_batch)(const struct stream_entry *entries, size_t count, void *context);
	/* Optional. Up: the group exists and reading begins. Down: what was delivered and not
	   acknowledged will come again. */
	void (*on_up)(void *context);
	void (*on_down)(const char *reason, void *context);
	void *context;
};

struct stream_reader *stream_reader_open(uv_loop_t *loop, const struct stream_reader_settings *set);
void stream_reader_next(struct stream_reader *reader);
void stream_reader_close(struct stream_reader **reader);

/* Compares two entry ids as numbers: <0, 0, >0. */
int stream_id_compare(const char *a, const char *b);

#endif
