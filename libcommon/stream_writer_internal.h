/* What stream_writer.c (entries in and out) and stream_writer_recover.c (how the writer comes to
   know where the stream stands) share. For these two files only.

   Entries move from waiting to sent when they get an id. Redis answers in order, so an answer
   belongs to the first entry of sent that is ENTRY_SENT. One that Redis refused is ENTRY_NEW again
   and is sent once more, with a new id, when nothing is in flight any more. */
#ifndef COMMON_STREAM_WRITER_INTERNAL_H
#define COMMON_STREAM_WRITER_INTERNAL_H

#include "buffer.h"
#include "entry_queue.h"
#include "redis_link.h"
#include "stream_writer.h"

enum writer_phase {
	WRITER_DOWN,
	WRITER_RESENDING, /* what was in flight when the connection went */
	WRITER_ASKING,    /* for the last id of the stream */
	WRITER_PAUSED,    /* Redis refuses to write; tried again soon */
	WRITER_FLOWING,
};

struct stream_writer {
	uv_loop_t *loop;
	struct stream_writer_settings set;
	char *stream; /* owned */
	struct redis_link *link;
	enum writer_phase phase;
	bool is_announced; /* on_up was called */
	bool is_closed;
	bool is_refused; /* since Redis last took an entry; was logged */
	bool is_held;    /* see stream_writer_hold() */
	unsigned busy;   /* functions on the stack that still touch the writer */

	struct entry_queue waiting, sent;
	size_t window;           /* bytes that may be in flight */
	size_t in_flight;        /* entries */
	size_t untrimmed;        /* entries since the last XTRIM by their number */
	struct stream_id last;   /* the highest id that is given */
	struct stream_id stored; /* the highest id that Redis has answered for */
	int64_t opened_ms;
	struct buffer head;  /* XADD up to the id, in RESP */
	struct buffer field; /* the name of the field, in RESP */
	struct buffer scratch;

	struct buffer refusal; /* why Redis refused an entry; empty: it did not */
	struct timer *pause, *trim;
	uint64_t dropped;
	struct {
		uint64_t count;
		int64_t from_ms, to_ms;
	} overflow; /* not reported yet */
};

/* ---- stream_writer.c ---- */

/* Gives an entry of sent its id when it has none, and appends its XADD to scratch. */
void stream_writer_format(struct stream_writer *writer, struct entry *entry);
void stream_writer_mark_stored(struct stream_writer *writer, struct entry *entry);
void stream_writer_forget_stored(struct stream_writer *writer);
/* Everything that Redis refused, with new ids. */
void stream_writer_send_refused(struct stream_writer *writer);
/* Sends what waits as far as the window goes. */
void stream_writer_flow(struct stream_writer *writer);
void stream_writer_leave(struct stream_writer *writer);

/* ---- stream_writer_recover.c ---- */

void stream_writer_link_up(void *writer);
void stream_writer_link_down(const char *reason, void *writer);
/* Nothing is in flight, and an entry was refused. */
void stream_writer_refused(struct stream_writer *writer);
bool stream_writer_id_was_taken(const redisReply *reply);

#endif
