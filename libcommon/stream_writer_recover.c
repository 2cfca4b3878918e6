/* From a new connection to a flowing stream.

   First what was in flight is sent again with the ids that it had, as one transaction: an id that
   Redis refuses as too small is there already, and a server that cannot write refuses all of them
   and leaves it to be tried again. Commands of the lost connection that Redis reads only now do no
   harm: they carry the same ids. Then the last id of the stream is asked for, so that new ids lie
   above it, whoever wrote it and whatever the clock says. Before anything is written, too: when it
   lies below an id that Redis had answered for, Redis has lost entries. */
#include "log.h"
#include "loop.h"
#include "stream_writer_internal.h"

#include <string.h>

#define PAUSE_MS 1000

static void resend(struct stream_writer *writer);

bool stream_writer_id_was_taken(const redisReply *reply)
{
	return reply->type == REDIS_REPLY_ERROR && strstr(reply->str, "equal or smaller") != NULL;
}

static void announce_down(struct stream_writer *writer, const char *reason)
{
	if (!writer->is_announced)
		return;
	writer->is_announced = false;
	if (writer->set.on_down != NULL)
		writer->set.on_down(reason, writer->set.context);
}

static void announce_up(struct stream_writer *writer)
{
	if (writer->is_announced)
		return;
	writer->is_announced = true;
	if (writer->set.on_up != NULL)
		writer->set.on_up(writer->set.context);
}

static void on_pause_over(void *_writer)
{
	struct stream_writer *writer = _writer;

	timer_stop(&writer->pause);
	resend(writer);
}

static void pause_writing(struct stream_writer *writer, const char *reason)
{
	writer->phase = WRITER_PAUSED;
	writer->pause = timer_start(writer->loop, PAUSE_MS, 0, on_pause_over, writer);
	if (!writer->is_refused)
		log_warn("Redis refuses entries", log_str("stream", writer->stream),
			 log_str("reason", reason));
	writer->is_refused = true;
	announce_down(writer, reason);
}

/* XINFO STREAM answers names and values in turn; of a stream that is not there an error. */
static bool find_last_id(const redisReply *info, struct stream_id *last_r)
{
	*last_r = (struct stream_id){0};
	if (info->type == REDIS_REPLY_ERROR)
		return strstr(info->str, "no such key") != NULL;
	for (size_t i = 0; info->type == REDIS_REPLY_ARRAY && i + 1 < info->elements; i += 2) {
		if (info->element[i]->type != REDIS_REPLY_STRING ||
		    info->element[i + 1]->type != REDIS_REPLY_STRING ||
		    strcmp(info->element[i]->str, "last-generated-id") != 0)
			continue;
		*last_r = stream_id_parse(info->element[i + 1]->str);
		return true;
	}
	return false;
}

static void check_rewound(struct stream_writer *writer, struct stream_id last)
{
	int64_t from_ms = last.ms > 0 ? (int64_t)last.ms : writer->opened_ms;
	int64_t to_ms = (int64_t)writer->stored.ms;

	if (stream_id_order(last, writer->stored) >= 0)
		return;
	writer->stored = last;
	log_error("Redis has lost entries that it had taken", log_str("stream", writer->stream),
		  log_int("from_ms", from_ms), log_int("to_ms", to_ms));
	if (writer->set.on_rewound != NULL)
		writer->set.on_rewound(from_ms, to_ms, writer->set.context);
}

static void begin_flow(struct stream_writer *writer, struct stream_id last)
{
	if (stream_id_order(last, writer->last) > 0)
		writer->last = last;
	writer->phase = WRITER_FLOWING;
	stream_writer_send_refused(writer);
	announce_up(writer);
	stream_writer_flow(writer);
}

static void on_info(const redisReply *reply, void *_writer)
{
	struct stream_writer *writer = _writer;
	struct stream_id last;

	if (reply == NULL)
		return;
	writer->busy++;
	if (find_last_id(reply, &last)) {
		check_rewound(writer, last);
		begin_flow(writer, last);
	} else if (reply->type != REDIS_REPLY_ERROR) {
		redis_link_reset(writer->link, "XINFO without last-generated-id");
	} else {
		pause_writing(writer, reply->str);
	}
	stream_writer_leave(writer);
}

static void ask_last_id(struct stream_writer *writer)
{
	writer->phase = WRITER_ASKING;
	(void)redis_link_command(writer->link, on_info, writer, "XINFO STREAM %s", writer->stream);
}

static struct entry *next_sent(struct entry_cursor *cursor)
{
	struct entry *entry;

	do
		entry = entry_queue_next(cursor);
	while (entry != NULL && entry->state != ENTRY_SENT);
	return entry;
}

/* results: of XINFO, then of each entry. */
static void settle_resent(struct stream_writer *writer, const redisReply *results)
{
	struct entry_cursor cursor = entry_queue_begin(&writer->sent);
	struct stream_id last;

	if (results->elements > 0 && find_last_id(results->element[0], &last))
		check_rewound(writer, last);
	for (size_t i = 1; i < results->elements; i++) {
		const redisReply *result = results->element[i];
		struct entry *entry = next_sent(&cursor);

		if (entry == NULL)
			break;
		if (result->type != REDIS_REPLY_ERROR || stream_writer_id_was_taken(result))
			stream_writer_mark_stored(writer, entry);
		else
			entry->state = ENTRY_NEW;
	}
	stream_writer_forget_stored(writer);
}

static void on_resent(const redisReply *reply, void *_writer)
{
	struct stream_writer *writer = _writer;

	if (reply == NULL)
		return;
	writer->busy++;
	if (reply->type == REDIS_REPLY_ARRAY) {
		settle_resent(writer, reply);
		ask_last_id(writer);
	} else {
		pause_writing(writer,
			      reply->type == REDIS_REPLY_ERROR ? reply->str : "EXEC was refused");
	}
	stream_writer_leave(writer);
}

static void resend(struct stream_writer *writer)
{
	struct entry_cursor cursor = entry_queue_begin(&writer->sent);
	struct entry *entry = next_sent(&cursor);

	if (entry == NULL) {
		ask_last_id(writer);
		return;
	}
	writer->phase = WRITER_RESENDING;
	(void)redis_link_command(writer->link, NULL, NULL, "MULTI");
	(void)redis_link_command(writer->link, NULL, NULL, "XINFO STREAM %s", writer->stream);
	for (; entry != NULL; entry = next_sent(&cursor)) {
		buffer_clear(&writer->scratch);
		stream_writer_format(writer, entry);
		(void)redis_link_raw(writer->link, NULL, NULL, writer->scratch.data,
				     writer->scratch.len);
	}
	(void)redis_link_command(writer->link, on_resent, writer, "EXEC");
}

/* An id that was taken means that somebody else wrote to the stream: asking puts it right. All
   else (out of memory, a full disk) needs time. */
void stream_writer_refused(struct stream_writer *writer)
{
	struct buffer reason = writer->refusal;

	writer->refusal = (struct buffer){0};
	if (strstr(buffer_str(&reason), "equal or smaller") != NULL)
		ask_last_id(writer);
	else
		pause_writing(writer, buffer_str(&reason));
	buffer_free(&reason);
}

void stream_writer_link_up(void *_writer)
{
	struct stream_writer *writer = _writer;

	if (!writer->is_held)
		resend(writer);
}

void stream_writer_hold(struct stream_writer *writer, bool held)
{
	if (writer->is_held == held)
		return;
	writer->is_held = held;
	if (held)
		redis_link_reset(writer->link, "held");
	else if (redis_link_is_up(writer->link))
		resend(writer);
}

void stream_writer_link_down(const char *reason, void *_writer)
{
	struct stream_writer *writer = _writer;

	writer->busy++;
	writer->phase = WRITER_DOWN;
	writer->in_flight = 0;
	buffer_clear(&writer->refusal);
	timer_stop(&writer->pause);
	announce_down(writer, reason);
	stream_writer_leave(writer);
}
