/* Writes entries to one Redis stream, pipelined, in order, each exactly once as long as they fit
   the buffer, across lost connections.

   Entries get explicit ids (ms of writing and a counter, always above the last id of the stream).
   What was sent and not answered when the connection went is sent again with the same id; Redis
   refuses an id that it has, so nothing is doubled. While Redis is away entries wait in bounded
   memory; past the bound the oldest are dropped and counted, and on_overflow says so once per
   outage. A Redis that comes back without entries that it had answered for (a fail-over to a
   replica that lagged, an older file) is noticed as well, and on_rewound says so. */
#ifndef COMMON_STREAM_WRITER_H
#define COMMON_STREAM_WRITER_H

#include "redis_settings.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

struct stream_writer;

struct stream_writer_settings {
	const struct redis_settings *redis; /* outlives the writer */
	const char *stream;                 /* copied */
	const char *field;                  /* name of the one field, copied */
	int64_t keep_ms;                    /* entries older than this are trimmed (MINID) */
	int64_t keep_max;                   /* and at most about this many stay */
	size_t buffer_max;                  /* bytes that may wait */
	/* All optional. */
	void (*on_up)(void *context);
	void (*on_down)(const char *reason, void *context);
	/* dropped entries since the last call; first and last ms of their writing. */
	void (*on_overflow)(uint64_t dropped, int64_t from_ms, int64_t to_ms, void *context);
	/* Entries that Redis had taken are lost; ms of the last one that it has, and of the last
	   that it had (or of the opening of this writer, and now). */
	void (*on_rewound)(int64_t from_ms, int64_t to_ms, void *context);
	/* Every entry up to here is in Redis. */
	void (*on_drained)(void *context);
	void *context;
};

struct stream_writer *stream_writer_open(uv_loop_t *loop, const struct stream_writer_settings *set);
/* Copies data. Never blocks, never fails: see above. The entry is sent at the end of this loop
 * iteration. */
void stream_writer_add(struct stream_writer *writer, const char *data, size_t len);
/* While it is held nothing is sent, entries only wait: for an owner that does not know at the
   moment whether the stream is still its own. Holding drops the connection, so that nothing is
   under way either; what was not answered is sent again after the release. */
void stream_writer_hold(struct stream_writer *writer, bool held);
/* Bytes that wait for Redis, sent or not. */
size_t stream_writer_backlog(const struct stream_writer *writer);
uint64_t stream_writer_dropped(const struct stream_writer *writer);
bool stream_writer_is_up(const struct stream_writer *writer);
/* Forgets what waits. */
void stream_writer_close(struct stream_writer **writer);

#endif
