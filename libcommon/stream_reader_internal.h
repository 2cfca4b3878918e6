/* What stream_reader.c (batches) and stream_reader_begin.c (groups and first cursors) share. For
   these two files only. */
#ifndef COMMON_STREAM_READER_INTERNAL_H
#define COMMON_STREAM_READER_INTERNAL_H

#include "buffer.h"
#include "redis_link.h"
#include "stream_id.h"
#include "stream_reader.h"

#define CURSOR_NEW ">" /* with a group: what nobody was given yet */

struct reader_stream {
	struct stream_reader *reader;
	const char *name;           /* borrowed from the settings */
	char cursor[STREAM_ID_MAX]; /* read what lies after it */
};

struct stream_reader {
	struct stream_reader_settings set;
	struct redis_link *link;
	struct reader_stream *streams; /* owned */
	size_t count;
	size_t beginning;  /* answers that are missing before reading may begin */
	bool is_up;        /* reading may begin */
	bool is_reading;   /* one read is under way */
	bool is_with_user; /* a batch was delivered, the next is not asked for yet */
	bool is_closed;
	unsigned busy; /* functions on the stack that still touch the reader */
	struct buffer command;
	struct stream_entry *entries; /* owned: the batch */
	size_t entries_count, entries_cap;
};

/* ---- stream_reader.c ---- */

/* Reads when everything is ready for it. */
void stream_reader_advance(struct stream_reader *reader);
void stream_reader_leave(struct stream_reader *reader);

/* ---- stream_reader_begin.c ---- */

/* On a new connection, or when the group has vanished: makes the groups, or finds out where "$" is;
   then tells the owner and reads. */
void stream_reader_begin(struct stream_reader *reader);

#endif
