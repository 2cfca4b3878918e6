#include "stream_reader.h"

#include "mem.h"
#include "resp.h"
#include "stream_reader_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- the read ---- */

static bool is_replaying(const struct reader_stream *stream)
{
	return stream->reader->set.group != NULL && strcmp(stream->cursor, CURSOR_NEW) != 0;
}

/* While anything is replayed only that is asked for, so that pending entries come first. */
static size_t choose_streams(const struct stream_reader *reader, bool *replaying_r)
{
	size_t replaying = 0;

	for (size_t i = 0; i < reader->count; i++)
		replaying += is_replaying(&reader->streams[i]);
	*replaying_r = replaying > 0;
	return replaying > 0 ? replaying : reader->count;
}

static void add_number(struct buffer *command, const char *word, int number)
{
	char text[16];

	snprintf(text, sizeof(text), "%d", number);
	resp_text(command, word);
	resp_text(command, text);
}

static void write_read(struct stream_reader *reader)
{
	struct buffer *command = &reader->command;
	const struct stream_reader_settings *set = &reader->set;
	bool replaying;
	size_t chosen = choose_streams(reader, &replaying);

	buffer_clear(command);
	resp_array(command, (set->group != NULL ? 9 : 6) + 2 * chosen);
	resp_text(command, set->group != NULL ? "XREADGROUP" : "XREAD");
	if (set->group != NULL) {
		resp_text(command, "GROUP");
		resp_text(command, set->group);
		resp_text(command, set->consumer);
	}
	add_number(command, "COUNT", set->batch_max);
	add_number(command, "BLOCK", set->block_ms);
	resp_text(command, "STREAMS");
	for (size_t i = 0; i < reader->count; i++)
		if (!replaying || is_replaying(&reader->streams[i]))
			resp_text(command, reader->streams[i].name);
	for (size_t i = 0; i < reader->count; i++)
		if (!replaying || is_replaying(&reader->streams[i]))
			resp_text(command, reader->streams[i].cursor);
}

/* ---- the batch ---- */

static void add_entry(struct stream_reader *reader, const struct stream_entry *entry)
{
	if (reader->entries_count == reader->entries_cap) {
		reader->entries_cap = reader->entries_cap > 0 ? reader->entries_cap * 2 : 64;
		reader->entries =
			mem_grow(reader->entries, reader->entries_cap * sizeof(*reader->entries));
	}
	reader->entries[reader->entries_count++] = *entry;
}

/* entry is [id, [field, value, ...]]; or [id, nil] when it was trimmed while pending. */
static int take_entry(struct reader_stream *stream, const redisReply *entry, bool replayed)
{
	struct stream_reader *reader = stream->reader;
	const redisReply *id, *fields;

	if (entry->type != REDIS_REPLY_ARRAY || entry->elements != 2)
		return -1;
	id = entry->element[0];
	fields = entry->element[1];
	if (id->type != REDIS_REPLY_STRING || id->len >= sizeof(stream->cursor))
		return -1;
	if (replayed || reader->set.group == NULL)
		memcpy(stream->cursor, id->str, id->len + 1);
	if (fields->type == REDIS_REPLY_NIL && replayed)
		return redis_link_command(reader->link, NULL, NULL, "XACK %s %s %s", stream->name,
					  reader->set.group, id->str);
	if (fields->type != REDIS_REPLY_ARRAY || fields->elements < 2 ||
	    fields->element[1]->type != REDIS_REPLY_STRING)
		return -1;
	add_entry(reader, &(struct stream_entry){stream->name, id->str, fields->element[1]->str,
						 fields->element[1]->len, replayed});
	return 0;
}

static struct reader_stream *find_stream(struct stream_reader *reader, const redisReply *name)
{
	for (size_t i = 0; name->type == REDIS_REPLY_STRING && i < reader->count; i++)
		if (strcmp(reader->streams[i].name, name->str) == 0)
			return &reader->streams[i];
	return NULL;
}

/* of_stream is [name, [entry, ...]]. */
static int take_stream(struct stream_reader *reader, const redisReply *of_stream)
{
	struct reader_stream *stream;
	const redisReply *entries;
	bool replayed;

	if (of_stream->type != REDIS_REPLY_ARRAY || of_stream->elements != 2)
		return -1;
	stream = find_stream(reader, of_stream->element[0]);
	entries = of_stream->element[1];
	if (stream == NULL || entries->type != REDIS_REPLY_ARRAY)
		return -1;
	replayed = is_replaying(stream);
	for (size_t i = 0; i < entries->elements; i++)
		if (take_entry(stream, entries->element[i], replayed) < 0)
			return -1;
	if (replayed && entries->elements == 0)
		strcpy(stream->cursor, CURSOR_NEW);
	return 0;
}

/* Nil: nothing came within block_ms. */
static int take_reply(struct stream_reader *reader, const redisReply *reply)
{
	reader->entries_count = 0;
	if (reply->type == REDIS_REPLY_NIL)
		return 0;
	if (reply->type != REDIS_REPLY_ARRAY)
		return -1;
	for (size_t i = 0; i < reply->elements; i++)
		if (take_stream(reader, reply->element[i]) < 0)
			return -1;
	return 0;
}

static bool is_group_gone(const redisReply *reply)
{
	return strncmp(reply->str, "NOGROUP", 7) == 0 || strncmp(reply->str, "UNBLOCKED", 9) == 0;
}

static void handle_reply(struct stream_reader *reader, const redisReply *reply)
{
	if (reply->type == REDIS_REPLY_ERROR) {
		if (is_group_gone(reply))
			stream_reader_begin(reader);
		else
			redis_link_reset(reader->link, reply->str);
	} else if (take_reply(reader, reply) < 0) {
		redis_link_reset(reader->link, "not an answer to XREADGROUP");
	} else if (reader->entries_count > 0) {
		reader->is_with_user = true;
		reader->set.on_batch(reader->entries, reader->entries_count, reader->set.context);
	} else {
		stream_reader_advance(reader);
	}
}

static void on_read(const redisReply *reply, void *_reader)
{
	struct stream_reader *reader = _reader;

	reader->is_reading = false;
	if (reply == NULL)
		return;
	reader->busy++;
	handle_reply(reader, reply);
	stream_reader_leave(reader);
}

void stream_reader_advance(struct stream_reader *reader)
{
	if (!reader->is_up || reader->is_reading || reader->is_with_user || reader->is_closed)
		return;
	write_read(reader);
	reader->is_reading = redis_link_raw(reader->link, on_read, reader, reader->command.data,
					    reader->command.len) == 0;
}

void stream_reader_next(struct stream_reader *reader)
{
	reader->is_with_user = false;
	stream_reader_advance(reader);
}

/* ---- life ---- */

static void on_link_up(void *reader)
{
	stream_reader_begin(reader);
}

static void on_link_down(const char *reason, void *_reader)
{
	struct stream_reader *reader = _reader;
	bool was_up = reader->is_up;

	reader->is_up = false;
	if (was_up && reader->set.on_down != NULL)
		reader->set.on_down(reason, reader->set.context);
}

static void open_streams(struct stream_reader *reader)
{
	while (reader->set.streams[reader->count] != NULL)
		reader->count++;
	reader->streams = mem_array(struct reader_stream, reader->count);
	for (size_t i = 0; i < reader->count; i++) {
		struct reader_stream *stream = &reader->streams[i];

		stream->reader = reader;
		stream->name = reader->set.streams[i];
		snprintf(stream->cursor, sizeof(stream->cursor), "%s",
			 reader->set.group != NULL ? "0-0" : reader->set.cursors[i]);
	}
}

struct stream_reader *stream_reader_open(uv_loop_t *loop, const struct stream_reader_settings *set)
{
	struct stream_reader *reader = mem_new(struct stream_reader);
	const struct redis_link_hooks hooks = {on_link_up, on_link_down, reader};

	reader->set = *set;
	open_streams(reader);
	reader->link = redis_link_open(loop, set->redis, "reader", &hooks);
	redis_link_set_timeout(reader->link, set->block_ms + set->redis->command_timeout_ms);
	return reader;
}

void stream_reader_leave(struct stream_reader *reader)
{
	if (--reader->busy > 0 || !reader->is_closed)
		return;
	buffer_free(&reader->command);
	free(reader->entries);
	free(reader->streams);
	free(reader);
}

void stream_reader_close(struct stream_reader **_reader)
{
	struct stream_reader *reader = *_reader;

	*_reader = NULL;
	if (reader == NULL)
		return;
	reader->busy++;
	reader->is_closed = true;
	redis_link_close(&reader->link);
	stream_reader_leave(reader);
}
