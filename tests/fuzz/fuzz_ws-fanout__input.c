/* Frames of a client, any bytes, in pieces whose sizes the first byte chooses. However they are
   cut, the same messages must come out and the same end. */
#include "input.h"
#include "mem.h"
#include "utf8.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define MESSAGE_MAX 4096
#define CODE_UTF8   1007

struct outcome {
	struct buffer texts;
	enum input_end end;
	uint16_t code;
};

static void on_any(void *context)
{
	(void)context;
}

static void on_text(const char *text, size_t len, void *context)
{
	struct outcome *outcome = context;

	if (len > MESSAGE_MAX || !utf8_valid(text, len))
		abort();
	buffer_append(&outcome->texts, text, len);
	buffer_append_char(&outcome->texts, '\n');
}

/* The first byte chooses: compressed messages or none. */
static void feed(const uint8_t *data, size_t size, size_t step, bool deflate,
		 struct outcome *outcome)
{
	const struct input_limits limits = {MESSAGE_MAX, deflate};
	static const struct input_hooks hooks = {on_any, on_text};
	struct input *input = NULL;
	struct buffer replies = {0};

	for (size_t at = 0; at < size && outcome->end == INPUT_GOES_ON; at += step) {
		size_t len = size - at < step ? size - at : step;
		char *piece = mem_alloc(len); /* exact, so that a read past it shows */

		memcpy(piece, data + at, len);
		outcome->end = input_feed(&input, piece, len, limits, &hooks, outcome, &replies,
					  &outcome->code);
		free(piece);
	}
	input_free(&input);
	buffer_free(&replies);
}

static void compare(const struct outcome *a, const struct outcome *b)
{
	bool utf8 = a->code == CODE_UTF8 || b->code == CODE_UTF8;

	if (!utf8 && (a->end == INPUT_GOES_ON) != (b->end == INPUT_GOES_ON))
		abort();
	if (a->texts.len != b->texts.len ||
	    strcmp(buffer_str(&a->texts), buffer_str(&b->texts)) != 0)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct outcome whole = {.end = INPUT_GOES_ON}, cut = {.end = INPUT_GOES_ON};

	if (size < 2)
		return 0;
	feed(data + 1, size - 1, size - 1, data[0] >= 128, &whole);
	feed(data + 1, size - 1, 1U + data[0] % 32, data[0] >= 128, &cut);
	compare(&whole, &cut);
	buffer_free(&whole.texts);
	buffer_free(&cut.texts);
	return 0;
}
