#include "frame.h"

#include "mem.h"

#include <stdlib.h>
#include <string.h>

#define RSV1 0x40

static size_t write_header(char *out, enum frame_opcode opcode, size_t len)
{
	out[0] = (char)(0x80 | opcode);
	if (len < 126) {
		out[1] = (char)len;
		return 2;
	}
	unsigned width = len < 65536 ? 2 : 8;
	out[1] = width == 2 ? 126 : 127;
	for (unsigned i = 0; i < width; i++)
		out[2 + i] = (char)((uint64_t)len >> (8 * (width - 1 - i)));
	return 2 + width;
}

static struct frame *frame_alloc(size_t len)
{
	struct frame *frame = mem_alloc(sizeof(*frame) + len);
	frame->refs = 1;
	frame->len = len;
	return frame;
}

struct frame *frame_new(enum frame_opcode opcode, size_t len, char **payload_r)
{
	char header[FRAME_HEADER_MAX];
	size_t header_len = write_header(header, opcode, len);
	struct frame *frame = frame_alloc(header_len + len);
	frame->header = (uint32_t)header_len;
	memcpy(frame->data, header, header_len);
	*payload_r = frame->data + header_len;
	return frame;
}

struct frame *frame_text(const char *text, size_t len)
{
	char *payload;
	struct frame *frame = frame_new(FRAME_TEXT, len, &payload);
	memcpy(payload, text, len);
	return frame;
}

struct frame *frame_compressed(const char *bytes, size_t len)
{
	struct frame *frame = frame_text(bytes, len);
	frame->data[0] = (char)(frame->data[0] | RSV1);
	return frame;
}

struct frame *frame_close(uint16_t code, const char *reason)
{
	size_t len = strnlen(reason, CLOSE_REASON_MAX);
	char *payload;
	struct frame *frame = frame_new(FRAME_CLOSE, 2 + len, &payload);
	payload[0] = (char)(code >> 8);
	payload[1] = (char)code;
	memcpy(payload + 2, reason, len);
	return frame;
}

struct frame *frame_raw(const char *bytes, size_t len)
{
	struct frame *frame = frame_alloc(len);
	memcpy(frame->data, bytes, len);
	return frame;
}

struct frame *frame_ref(struct frame *frame)
{
	frame->refs++;
	return frame;
}

void frame_unref(struct frame **frame)
{
	struct frame *old = *frame;
	*frame = NULL;
	if (old != NULL && --old->refs == 0)
		free(old);
}
