/* A line of stream entries, first in first out, in chunks of memory: nothing is copied when it
   grows, and memory goes back as entries leave. A zeroed struct is an empty line. */
#ifndef COMMON_ENTRY_QUEUE_H
#define COMMON_ENTRY_QUEUE_H

#include "stream_id.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum entry_state {
	ENTRY_NEW,    /* has no id */
	ENTRY_SENT,   /* has an id; not answered */
	ENTRY_STORED, /* Redis has it */
};

struct entry {
	int64_t written_ms;
	struct stream_id id;
	size_t len;
	enum entry_state state;
	char data[];
};

struct entry_chunk;

struct entry_queue {
	struct entry_chunk *first, *last; /* owned */
	size_t bytes;                     /* that the entries take, with their heads */
	size_t count;
};

/* A place in the line, for walking it. */
struct entry_cursor {
	struct entry_chunk *chunk;
	size_t at;
};

/* Bytes that an entry of len takes. */
size_t entry_size(size_t len);
/* data is copied. Valid until it leaves. */
struct entry *entry_queue_push(struct entry_queue *queue, const char *data, size_t len);
/* NULL when empty. */
struct entry *entry_queue_first(const struct entry_queue *queue);
/* The line must not be empty. */
void entry_queue_pop(struct entry_queue *queue);
struct entry_cursor entry_queue_begin(const struct entry_queue *queue);
/* NULL at the end. The line must not change while it is walked. */
struct entry *entry_queue_next(struct entry_cursor *cursor);
void entry_queue_free(struct entry_queue *queue);

#endif
