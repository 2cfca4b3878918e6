#include "stream_writer.h"

#include "clock.h"
#include "log.h"
#include "loop.h"
#include "mem.h"
#include "resp.h"
#include "stream_writer_internal.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WINDOW_MAX ((size_t)1 << 20)
#define TRIM_MS    5000
#define TRIM_EVERY 1000 /* entries: a MAXLEN in each XADD costs Redis a fifth of its time */

/* ---- entries out ---- */

void stream_writer_format(struct stream_writer *writer, struct entry *entry)
{
	char id[STREAM_ID_MAX];
	size_t id_len;

	if (entry->state == ENTRY_NEW) {
		entry->id = writer->last = stream_id_after(writer->last, entry->written_ms);
		entry->state = ENTRY_SENT;
	}
	id_len = stream_id_format(entry->id, id);
	buffer_append(&writer->scratch, writer->head.data, writer->head.len);
	resp_bulk(&writer->scratch, id, id_len);
	buffer_append(&writer->scratch, writer->field.data, writer->field.len);
	resp_bulk(&writer->scratch, entry->data, entry->len);
}

void stream_writer_mark_stored(struct stream_writer *writer, struct entry *entry)
{
	entry->state = ENTRY_STORED;
	if (writer->is_refused)
		log_info("Redis takes entries again", log_str("stream", writer->stream));
	writer->is_refused = false;
	if (stream_id_order(entry->id, writer->stored) > 0)
		writer->stored = entry->id;
}

void stream_writer_forget_stored(struct stream_writer *writer)
{
	struct entry *entry;

	while ((entry = entry_queue_first(&writer->sent)) != NULL && entry->state == ENTRY_STORED)
		entry_queue_pop(&writer->sent);
}

static struct entry *first_in_flight(struct stream_writer *writer)
{
	struct entry_cursor cursor = entry_queue_begin(&writer->sent);
	struct entry *entry;

	do
		entry = entry_queue_next(&cursor);
	while (entry != NULL && entry->state != ENTRY_SENT);
	return entry;
}

static void on_added(const redisReply *reply, void *_writer)
{
	struct stream_writer *writer = _writer;
	struct entry *entry;

	if (reply == NULL)
		return;
	writer->busy++;
	entry = first_in_flight(writer);
	writer->in_flight--;
	if (reply->type != REDIS_REPLY_ERROR) {
		stream_writer_mark_stored(writer, entry);
		stream_writer_forget_stored(writer);
	} else {
		entry->state = ENTRY_NEW;
		if (writer->refusal.len == 0)
			buffer_append_str(&writer->refusal, reply->str);
	}
	stream_writer_flow(writer);
	stream_writer_leave(writer);
}

static void trim_by_count(struct stream_writer *writer)
{
	writer->untrimmed = 0;
	if (writer->set.keep_max > 0)
		(void)redis_link_command(writer->link, NULL, NULL,
					 "XTRIM %s MAXLEN ~ %" PRId64 " LIMIT 0", writer->stream,
					 writer->set.keep_max);
}

static void send_entry(struct stream_writer *writer, struct entry *entry)
{
	buffer_clear(&writer->scratch);
	stream_writer_format(writer, entry);
	if (redis_link_raw(writer->link, on_added, writer, writer->scratch.data,
			   writer->scratch.len) < 0)
		return;
	writer->in_flight++;
	if (++writer->untrimmed == TRIM_EVERY)
		trim_by_count(writer);
}

/* Before anything new, so that ids rise in the order of sent. */
void stream_writer_send_refused(struct stream_writer *writer)
{
	struct entry_cursor cursor = entry_queue_begin(&writer->sent);
	struct entry *entry;

	while ((entry = entry_queue_next(&cursor)) != NULL)
		if (entry->state == ENTRY_NEW)
			send_entry(writer, entry);
}

static bool may_send(const struct stream_writer *writer)
{
	return writer->phase == WRITER_FLOWING && writer->refusal.len == 0 &&
	       writer->sent.bytes < writer->window;
}

static void send_waiting(struct stream_writer *writer)
{
	while (writer->waiting.count > 0 && may_send(writer)) {
		const struct entry *oldest = entry_queue_first(&writer->waiting);
		struct entry *entry = entry_queue_push(&writer->sent, oldest->data, oldest->len);

		entry->written_ms = oldest->written_ms;
		entry_queue_pop(&writer->waiting);
		send_entry(writer, entry);
	}
}

/* When there is room again: a report makes the owner write. */
static void report_overflow(struct stream_writer *writer)
{
	uint64_t count = writer->overflow.count;

	if (count == 0 || stream_writer_backlog(writer) > writer->set.buffer_max / 2)
		return;
	writer->overflow.count = 0;
	if (writer->set.on_overflow != NULL)
		writer->set.on_overflow(count, writer->overflow.from_ms, writer->overflow.to_ms,
					writer->set.context);
}

void stream_writer_flow(struct stream_writer *writer)
{
	if (writer->phase != WRITER_FLOWING)
		return;
	if (writer->refusal.len > 0) {
		if (writer->in_flight == 0)
			stream_writer_refused(writer);
		return;
	}
	send_waiting(writer);
	report_overflow(writer);
	if (!writer->is_closed && stream_writer_backlog(writer) == 0 &&
	    writer->set.on_drained != NULL)
		writer->set.on_drained(writer->set.context);
}

/* ---- entries in ---- */

static void count_dropped(struct stream_writer *writer, int64_t written_ms)
{
	if (writer->overflow.count++ == 0)
		writer->overflow.from_ms = written_ms;
	writer->overflow.to_ms = written_ms;
	writer->dropped++;
}

/* Drops the oldest that were not sent yet. Returns whether size bytes fit now. */
static bool make_room(struct stream_writer *writer, size_t size)
{
	size_t max = writer->set.buffer_max;

	if (size > max)
		return false;
	while (writer->waiting.count > 0 && stream_writer_backlog(writer) > max - size) {
		count_dropped(writer, entry_queue_first(&writer->waiting)->written_ms);
		entry_queue_pop(&writer->waiting);
	}
	return stream_writer_backlog(writer) <= max - size;
}

void stream_writer_add(struct stream_writer *writer, const char *data, size_t len)
{
	int64_t now_ms = clock_wall_ms();
	struct entry *entry;

	if (!make_room(writer, entry_size(len))) {
		count_dropped(writer, now_ms);
	} else if (writer->waiting.count == 0 && may_send(writer)) {
		entry = entry_queue_push(&writer->sent, data, len);
		entry->written_ms = now_ms;
		send_entry(writer, entry);
	} else {
		entry = entry_queue_push(&writer->waiting, data, len);
		entry->written_ms = now_ms;
	}
}

size_t stream_writer_backlog(const struct stream_writer *writer)
{
	return writer->waiting.bytes + writer->sent.bytes;
}

uint64_t stream_writer_dropped(const struct stream_writer *writer)
{
	return writer->dropped;
}

bool stream_writer_is_up(const struct stream_writer *writer)
{
	return writer->phase == WRITER_FLOWING;
}

/* ---- life ---- */

/* Whole nodes of the stream go at once, so even a long idle time is trimmed in one step. */
static void on_trim(void *_writer)
{
	struct stream_writer *writer = _writer;
	char oldest[32];

	if (writer->phase != WRITER_FLOWING)
		return;
	snprintf(oldest, sizeof(oldest), "%" PRId64, clock_wall_ms() - writer->set.keep_ms);
	(void)redis_link_command(writer->link, NULL, NULL, "XTRIM %s MINID ~ %s LIMIT 0",
				 writer->stream, oldest);
}

static void prepare_head(struct stream_writer *writer)
{
	resp_array(&writer->head, 5);
	resp_text(&writer->head, "XADD");
	resp_text(&writer->head, writer->stream);
	resp_text(&writer->field, writer->set.field);
}

struct stream_writer *stream_writer_open(uv_loop_t *loop, const struct stream_writer_settings *set)
{
	struct stream_writer *writer = mem_new(struct stream_writer);
	const struct redis_link_hooks hooks = {stream_writer_link_up, stream_writer_link_down,
					       writer};

	writer->loop = loop;
	writer->set = *set;
	writer->stream = mem_strdup(set->stream);
	writer->opened_ms = clock_wall_ms();
	writer->window = set->buffer_max / 2 < WINDOW_MAX ? set->buffer_max / 2 : WINDOW_MAX;
	prepare_head(writer);
	if (set->keep_ms > 0)
		writer->trim = timer_start(loop, TRIM_MS, TRIM_MS, on_trim, writer);
	writer->link = redis_link_open(loop, set->redis, "writer", &hooks);
	return writer;
}

void stream_writer_leave(struct stream_writer *writer)
{
	if (--writer->busy > 0 || !writer->is_closed)
		return;
	entry_queue_free(&writer->waiting);
	entry_queue_free(&writer->sent);
	buffer_free(&writer->head);
	buffer_free(&writer->field);
	buffer_free(&writer->scratch);
	buffer_free(&writer->refusal);
	free(writer->stream);
	free(writer);
}

void stream_writer_close(struct stream_writer **_writer)
{
	struct stream_writer *writer = *_writer;

	*_writer = NULL;
	if (writer == NULL)
		return;
	writer->busy++;
	writer->is_closed = true;
	writer->phase = WRITER_DOWN;
	timer_stop(&writer->pause);
	timer_stop(&writer->trim);
	redis_link_close(&writer->link);
	stream_writer_leave(writer);
}
