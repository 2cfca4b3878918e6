/* Replies that are made while they are sent. libmicrohttpd asks for bytes; while there are none its
   connection is suspended. */
#include "http_internal.h"

#include "mem.h"

#include <stdlib.h>
#include <string.h>

#define BLOCK_SIZE 16384

struct http_stream {
	struct http_request *request; /* alive as long as libmicrohttpd asks */
	void (*want)(struct http_stream *stream, void *context);
	void (*gone)(void *context);
	void *context;
	struct buffer bytes;
	bool wanted; /* want was called, and has not answered */
	bool ended, complete;
};

static ssize_t take(struct http_stream *stream, char *out, size_t max)
{
	size_t len = stream->bytes.len < max ? stream->bytes.len : max;

	memcpy(out, stream->bytes.data, len);
	buffer_consume(&stream->bytes, len);
	http_connection_deadline(stream->request->connection, HTTP_SEND_MS);
	return (ssize_t)len;
}

static ssize_t on_read(void *context, uint64_t position, char *out, size_t max)
{
	struct http_stream *stream = context;

	(void)position;
	if (stream->bytes.len == 0 && !stream->ended && !stream->wanted) {
		stream->wanted = true;
		stream->want(stream, stream->context);
	}
	if (stream->bytes.len > 0)
		return take(stream, out, max);
	if (stream->ended)
		return stream->complete ? MHD_CONTENT_READER_END_OF_STREAM
					: MHD_CONTENT_READER_END_WITH_ERROR;
	stream->request->suspended = true;
	MHD_suspend_connection(stream->request->mhd);
	return 0;
}

static void on_free(void *context)
{
	struct http_stream *stream = context;

	stream->gone(stream->context);
	buffer_free(&stream->bytes);
	free(stream);
}

void http_reply_stream(struct http_request *request, unsigned status, const char *content_type,
		       void (*want)(struct http_stream *stream, void *context),
		       void (*gone)(void *context), void *context)
{
	struct http_stream *stream = mem_new(struct http_stream);

	stream->request = request;
	stream->want = want;
	stream->gone = gone;
	stream->context = context;
	http_reply_with(request, status, content_type,
			MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, BLOCK_SIZE, on_read,
							  stream, on_free));
}

static void resume(struct http_stream *stream)
{
	struct http_request *request = stream->request;

	stream->wanted = false;
	if (!request->suspended)
		return;
	request->suspended = false;
	MHD_resume_connection(request->mhd);
	http_loop_wake(request->server);
}

void http_stream_add(struct http_stream *stream, struct buffer *bytes)
{
	buffer_append(&stream->bytes, buffer_str(bytes), bytes->len);
	buffer_free(bytes);
	resume(stream);
}

void http_stream_end(struct http_stream *stream, bool complete)
{
	stream->ended = true;
	stream->complete = complete;
	resume(stream);
}
