/* What must be known before streams can be read: that the group exists, or, without a group, which
   id "$" stands for, since "$" itself would skip what comes between two reads. */
#include "stream_reader_internal.h"

#include <stdio.h>
#include <string.h>

static void set_cursor(struct reader_stream *stream, const char *id)
{
	snprintf(stream->cursor, sizeof(stream->cursor), "%s", id);
}

static void begin_reading(struct stream_reader *reader)
{
	bool is_new = !reader->is_up;

	reader->is_up = true;
	if (is_new && reader->set.on_up != NULL)
		reader->set.on_up(reader->set.context);
	stream_reader_advance(reader);
}

static void on_group(const redisReply *reply, void *_reader)
{
	struct stream_reader *reader = _reader;

	if (reply == NULL)
		return;
	reader->busy++;
	if (reply->type == REDIS_REPLY_ERROR && strncmp(reply->str, "BUSYGROUP", 9) != 0)
		redis_link_reset(reader->link, reply->str);
	else if (--reader->beginning == 0)
		begin_reading(reader);
	stream_reader_leave(reader);
}

static void make_groups(struct stream_reader *reader)
{
	reader->beginning = reader->count;
	for (size_t i = 0; i < reader->count; i++) {
		set_cursor(&reader->streams[i], "0-0"); /* what is pending comes first */
		(void)redis_link_command(reader->link, on_group, reader,
					 "XGROUP CREATE %s %s 0 MKSTREAM", reader->streams[i].name,
					 reader->set.group);
	}
}

/* Returns the id of the one entry, "0-0" when there is none, NULL for anything else. */
static const char *newest_id(const redisReply *reply)
{
	const redisReply *entry;

	if (reply->type != REDIS_REPLY_ARRAY)
		return NULL;
	if (reply->elements == 0)
		return "0-0";
	entry = reply->element[0];
	if (entry->type != REDIS_REPLY_ARRAY || entry->elements == 0 ||
	    entry->element[0]->type != REDIS_REPLY_STRING)
		return NULL;
	return entry->element[0]->str;
}

static void on_newest(const redisReply *reply, void *_stream)
{
	struct reader_stream *stream = _stream;
	struct stream_reader *reader = stream->reader;
	const char *id;

	if (reply == NULL)
		return;
	reader->busy++;
	id = newest_id(reply);
	if (id != NULL) {
		set_cursor(stream, id);
		if (--reader->beginning == 0)
			begin_reading(reader);
	} else {
		redis_link_reset(reader->link, reply->type == REDIS_REPLY_ERROR
						       ? reply->str
						       : "not an answer to XREVRANGE");
	}
	stream_reader_leave(reader);
}

static void find_newest(struct stream_reader *reader)
{
	reader->beginning = 0;
	for (size_t i = 0; i < reader->count; i++) {
		if (strcmp(reader->streams[i].cursor, "$") != 0)
			continue;
		reader->beginning++;
		(void)redis_link_command(reader->link, on_newest, &reader->streams[i],
					 "XREVRANGE %s + - COUNT 1", reader->streams[i].name);
	}
	if (reader->beginning == 0)
		begin_reading(reader);
}

void stream_reader_begin(struct stream_reader *reader)
{
	if (reader->set.group != NULL)
		make_groups(reader);
	else
		find_newest(reader);
}
