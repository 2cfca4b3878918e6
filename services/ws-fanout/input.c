#include "input.h"

#include "deflate.h"
#include "mem.h"
#include "utf8.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <wslay/wslay.h>

/* A message may come in many fragments; empty ones would cost memory without reaching its size. */
#define FRAGMENTS_MAX 1024

#define CODE_PROTOCOL  1002
#define CODE_BINARY    1003
#define CODE_FRAGMENTS 1008
#define CODE_UTF8      1007
#define CODE_LARGE     1009

struct input {
	wslay_event_context_ptr wslay;
	struct input_limits limits;
	const struct input_hooks *hooks;
	void *context;
	const char *bytes; /* not yet taken by wslay */
	size_t len;
	uint64_t taken;    /* bytes that wslay has taken in all */
	uint64_t complete; /* of these, the bytes of whole frames */
	uint64_t frame_len;
	unsigned fragments;  /* of a message under way */
	bool control, final; /* the frame under way */
	uint16_t code;       /* why we refuse to go on; 0: we do not */
	struct buffer *replies;
};

static ssize_t on_recv(wslay_event_context_ptr wslay, uint8_t *out, size_t max, int flags,
		       void *context)
{
	struct input *input = context;
	size_t len = input->len < max ? input->len : max;
	(void)flags;
	if (len == 0) {
		wslay_event_set_error(wslay, WSLAY_ERR_WOULDBLOCK);
		return -1;
	}
	memcpy(out, input->bytes, len);
	input->bytes += len;
	input->len -= len;
	input->taken += len;
	return (ssize_t)len;
}

/* Takes everything: were it ever to say WOULDBLOCK, other frames could land inside a half-sent one.
 */
static ssize_t on_send(wslay_event_context_ptr wslay, const uint8_t *bytes, size_t len, int flags,
		       void *context)
{
	struct input *input = context;
	(void)wslay;
	(void)flags;
	buffer_append(input->replies, bytes, len);
	return (ssize_t)len;
}

static void refuse(struct input *input, uint16_t code)
{
	input->code = code;
	wslay_event_shutdown_read(input->wslay);
}

/* Longer forms of a length than needed are protocol errors, so that the header's length follows
   from the payload's. The mask is 4 bytes. */
static uint64_t frame_length(uint64_t payload)
{
	unsigned extended = payload < 126 ? 0 : payload < 65536 ? 2 : 8;
	return 2 + 4 + extended + payload;
}

static void on_frame_start(wslay_event_context_ptr wslay,
			   const struct wslay_event_on_frame_recv_start_arg *frame, void *context)
{
	struct input *input = context;
	(void)wslay;
	input->frame_len = frame_length(frame->payload_length);
	input->control = wslay_is_ctrl_frame(frame->opcode);
	input->final = frame->fin;
	if (!input->control && ++input->fragments > FRAGMENTS_MAX)
		refuse(input, CODE_FRAGMENTS);
	if (frame->opcode == WSLAY_CONNECTION_CLOSE && frame->payload_length == 1)
		refuse(input, CODE_PROTOCOL); /* half a code; wslay takes it for none */
	if (frame->opcode == WSLAY_CONTINUATION_FRAME && frame->rsv != WSLAY_RSV_NONE)
		refuse(input, CODE_PROTOCOL); /* a message is compressed from its first frame on */
}

static void on_frame_end(wslay_event_context_ptr wslay, void *context)
{
	struct input *input = context;
	(void)wslay;
	input->complete += input->frame_len;
	if (!input->control && input->final)
		input->fragments = 0;
}

static void take_text(struct input *input, const char *text, size_t len)
{
	input->hooks->on_text(len > 0 ? text : "", len, input->context);
}

/* wslay looks at the bytes as they come, so that it can't check what is compressed. */
static void take_compressed(struct input *input, const char *bytes, size_t len)
{
	struct buffer text = {0};
	int status = deflate_inflate(bytes, len, input->limits.message_max, &text);

	if (status != 0)
		refuse(input, status > 0 ? CODE_LARGE : CODE_UTF8);
	else if (!utf8_valid(buffer_str(&text), text.len))
		refuse(input, CODE_UTF8);
	else
		take_text(input, text.data, text.len);
	buffer_free(&text);
}

static void on_message(wslay_event_context_ptr wslay,
		       const struct wslay_event_on_msg_recv_arg *message, void *context)
{
	struct input *input = context;
	(void)wslay;
	if (input->code != 0)
		return;
	input->hooks->on_any(input->context);
	if (message->opcode == WSLAY_TEXT_FRAME && wslay_get_rsv1(message->rsv))
		take_compressed(input, (const char *)message->msg, message->msg_length);
	else if (message->opcode == WSLAY_TEXT_FRAME)
		take_text(input, (const char *)message->msg, message->msg_length);
	else if (message->opcode == WSLAY_BINARY_FRAME)
		refuse(input, CODE_BINARY);
}

static struct input *input_new(struct input_limits limits)
{
	static const struct wslay_event_callbacks callbacks = {
		.recv_callback = on_recv,
		.send_callback = on_send,
		.on_frame_recv_start_callback = on_frame_start,
		.on_frame_recv_end_callback = on_frame_end,
		.on_msg_recv_callback = on_message,
	};
	struct input *input = mem_new(struct input);
	if (wslay_event_context_server_init(&input->wslay, &callbacks, input) != 0)
		abort(); /* no memory: as mem.h */
	input->limits = limits;
	wslay_event_config_set_max_recv_msg_length(input->wslay, limits.message_max);
	if (limits.deflate)
		wslay_event_config_set_allowed_rsv_bits(input->wslay, WSLAY_RSV1_BIT);
	return input;
}

void input_free(struct input **input)
{
	struct input *old = *input;
	*input = NULL;
	if (old == NULL)
		return;
	wslay_event_context_free(old->wslay);
	free(old);
}

/* After wslay has stopped: what it says about why. A breach found in a frame's header makes it
   queue a close without a code. */
static enum input_end outcome(struct input *input, int status, uint16_t *code_r)
{
	if (input->code != 0) {
		*code_r = input->code;
		return INPUT_FAILED;
	}
	if (status == 0 && wslay_event_get_close_received(input->wslay))
		return INPUT_PEER_CLOSED;
	uint16_t sent = wslay_event_get_status_code_sent(input->wslay);
	if (status != 0 || wslay_event_get_close_sent(input->wslay)) {
		bool coded = status == 0 && sent != WSLAY_CODE_NO_STATUS_RCVD &&
			     sent != WSLAY_CODE_ABNORMAL_CLOSURE;
		*code_r = coded ? sent : CODE_PROTOCOL;
		return INPUT_FAILED;
	}
	return INPUT_GOES_ON;
}

enum input_end input_feed(struct input **input, const char *bytes, size_t len,
			  struct input_limits limits, const struct input_hooks *hooks,
			  void *context, struct buffer *replies, uint16_t *code_r)
{
	struct input *in = *input != NULL ? *input : (*input = input_new(limits));
	size_t before = replies->len;

	in->hooks = hooks;
	in->context = context;
	in->bytes = bytes;
	in->len = len;
	in->replies = replies;
	int status = wslay_event_recv(in->wslay);
	wslay_event_send(in->wslay);
	enum input_end end = outcome(in, status, code_r);
	if (end == INPUT_FAILED)
		replies->len = before;
	if (end != INPUT_GOES_ON || (in->taken == in->complete && in->fragments == 0))
		input_free(input);
	return end;
}
