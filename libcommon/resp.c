#include "resp.h"

#include <string.h>

static void append_count(struct buffer *out, char kind, size_t count)
{
	buffer_append_char(out, kind);
	buffer_append_int(out, (long long)count);
	buffer_append(out, "\r\n", 2);
}

void resp_array(struct buffer *out, size_t count)
{
	append_count(out, '*', count);
}

void resp_bulk(struct buffer *out, const void *bytes, size_t len)
{
	append_count(out, '$', len);
	buffer_append(out, bytes, len);
	buffer_append(out, "\r\n", 2);
}

void resp_text(struct buffer *out, const char *text)
{
	resp_bulk(out, text, strlen(text));
}

void resp_command(struct buffer *out, size_t argc, const char *const *argv, const size_t *lens)
{
	resp_array(out, argc);
	for (size_t i = 0; i < argc; i++)
		resp_bulk(out, argv[i], lens != NULL ? lens[i] : strlen(argv[i]));
}
