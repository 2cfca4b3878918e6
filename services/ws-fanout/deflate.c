#include "deflate.h"

#include "mem.h"

#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#define SMALL 128 /* not worth the work */

/* Each offer is permessage-deflate with parameters. Ours are fixed: no context on either side and
   the full window, so an offer that wants a smaller window from us can't be taken. */
static bool offer_is_good(struct request_text offer)
{
	if (!request_text_is(request_text_cut(&offer, ';'), "permessage-deflate"))
		return false;
	while (offer.len > 0) {
		struct request_text value = request_text_cut(&offer, ';');
		struct request_text name = request_text_cut(&value, '=');

		if (request_text_is(name, "server_max_window_bits")) {
			if (!request_text_is(value, "15") && !request_text_is(value, "\"15\""))
				return false;
		} else if (!request_text_is(name, "client_max_window_bits") &&
			   !request_text_is(name, "server_no_context_takeover") &&
			   !request_text_is(name, "client_no_context_takeover")) {
			return false;
		}
	}
	return true;
}

bool deflate_is_offered(struct request_text extensions)
{
	while (extensions.len > 0) {
		if (offer_is_good(request_text_cut(&extensions, ',')))
			return true;
	}
	return false;
}

/* One compressor for the whole process: 256 KB, made when first needed, kept. */
static z_stream *compressor(void)
{
	static z_stream *stream;

	if (stream == NULL) {
		stream = mem_new(z_stream);
		if (deflateInit2(stream, Z_BEST_SPEED, Z_DEFLATED, -15, 8, Z_DEFAULT_STRATEGY) !=
		    Z_OK)
			abort(); /* no memory: as mem.h */
	}
	deflateReset(stream);
	return stream;
}

struct frame *deflate_frame(const char *text, size_t len)
{
	z_stream *stream = compressor();
	struct buffer out = {0};
	struct frame *frame;
	uLong bound = deflateBound(stream, len) + 16;

	if (len < SMALL)
		return frame_text(text, len);
	stream->next_out = (Bytef *)buffer_reserve(&out, bound);
	stream->avail_out = (uInt)bound;
	stream->next_in = (z_const Bytef *)text;
	stream->avail_in = (uInt)len;
	deflate(stream, Z_SYNC_FLUSH);
	out.len = bound - stream->avail_out - 4; /* 00 00 FF FF is left out: RFC 7692 7.2.1 */
	frame = out.len < len ? frame_compressed(out.data, out.len) : frame_text(text, len);
	buffer_free(&out);
	return frame;
}

static int inflate_some(z_stream *stream, const char *bytes, size_t len, size_t max,
			struct buffer *out)
{
	int status = Z_OK;

	stream->next_in = (z_const Bytef *)bytes;
	stream->avail_in = (uInt)len;
	while ((stream->avail_in > 0 || stream->avail_out == 0) && status == Z_OK) {
		size_t room = len * 4 + 256;

		if (out->len > max)
			return 1;
		if (room > max + 1 - out->len)
			room = max + 1 - out->len;
		stream->next_out = (Bytef *)buffer_reserve(out, room);
		stream->avail_out = (uInt)room;
		status = inflate(stream, Z_SYNC_FLUSH);
		out->len += room - stream->avail_out;
		if (status == Z_STREAM_END) /* a last block may come in mid-message */
			status = inflateReset(stream);
	}
	return status == Z_OK || status == Z_BUF_ERROR ? 0 : -1;
}

int deflate_inflate(const char *bytes, size_t len, size_t max, struct buffer *out)
{
	z_stream stream = {0};
	int status;

	if (inflateInit2(&stream, -15) != Z_OK)
		abort(); /* no memory: as mem.h */
	status = inflate_some(&stream, bytes, len, max, out);
	if (status == 0)
		status = inflate_some(&stream, "\x00\x00\xff\xff", 4, max, out);
	inflateEnd(&stream);
	if (status == 0 && out->len > max)
		status = 1;
	return status;
}
