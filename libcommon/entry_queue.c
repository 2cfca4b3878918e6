#include "entry_queue.h"

#include "mem.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define CHUNK_SIZE 65536

struct entry_chunk {
	struct entry_chunk *next;
	size_t begin, end; /* entries lie in bytes[begin..end) */
	size_t cap;
	_Alignas(struct entry) char bytes[];
};

size_t entry_size(size_t len)
{
	size_t align = _Alignof(struct entry);

	return (sizeof(struct entry) + len + align - 1) / align * align;
}

static struct entry *entry_at(struct entry_chunk *chunk, size_t at)
{
	return (struct entry *)(void *)(chunk->bytes + at);
}

static struct entry_chunk *chunk_with_room(struct entry_queue *queue, size_t size)
{
	struct entry_chunk *chunk = queue->last;
	size_t cap = size > CHUNK_SIZE ? size : CHUNK_SIZE;

	if (chunk != NULL && chunk->cap - chunk->end >= size)
		return chunk;
	chunk = mem_grow(NULL, sizeof(*chunk) + cap);
	*chunk = (struct entry_chunk){.cap = cap};
	if (queue->last != NULL)
		queue->last->next = chunk;
	else
		queue->first = chunk;
	queue->last = chunk;
	return chunk;
}

struct entry *entry_queue_push(struct entry_queue *queue, const char *data, size_t len)
{
	size_t size = entry_size(len);
	struct entry_chunk *chunk = chunk_with_room(queue, size);
	struct entry *entry = entry_at(chunk, chunk->end);

	*entry = (struct entry){.len = len};
	if (len > 0)
		memcpy(entry->data, data, len);
	chunk->end += size;
	queue->bytes += size;
	queue->count++;
	return entry;
}

struct entry *entry_queue_first(const struct entry_queue *queue)
{
	return queue->count > 0 ? entry_at(queue->first, queue->first->begin) : NULL;
}

/* A last chunk of the usual size stays, so that a line that is emptied all the time allocates
   nothing. */
static void drop_empty_chunk(struct entry_queue *queue)
{
	struct entry_chunk *chunk = queue->first;

	if (chunk->begin < chunk->end)
		return;
	if (chunk == queue->last && chunk->cap == CHUNK_SIZE) {
		chunk->begin = chunk->end = 0;
		return;
	}
	queue->first = chunk->next;
	if (chunk == queue->last)
		queue->last = NULL;
	free(chunk);
}

void entry_queue_pop(struct entry_queue *queue)
{
	size_t size;

	assert(queue->count > 0);
	size = entry_size(entry_queue_first(queue)->len);
	queue->first->begin += size;
	queue->bytes -= size;
	queue->count--;
	drop_empty_chunk(queue);
}

struct entry_cursor entry_queue_begin(const struct entry_queue *queue)
{
	return (struct entry_cursor){queue->first, queue->first != NULL ? queue->first->begin : 0};
}

struct entry *entry_queue_next(struct entry_cursor *cursor)
{
	struct entry *entry;

	if (cursor->chunk != NULL && cursor->at == cursor->chunk->end) {
		cursor->chunk = cursor->chunk->next;
		if (cursor->chunk != NULL)
			cursor->at = cursor->chunk->begin;
	}
	if (cursor->chunk == NULL || cursor->at == cursor->chunk->end)
		return NULL;
	entry = entry_at(cursor->chunk, cursor->at);
	cursor->at += entry_size(entry->len);
	return entry;
}

void entry_queue_free(struct entry_queue *queue)
{
	while (queue->first != NULL) {
		struct entry_chunk *next = queue->first->next;

		free(queue->first);
		queue->first = next;
	}
	*queue = (struct entry_queue){0};
}
