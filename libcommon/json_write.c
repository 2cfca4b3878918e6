#include "json.h"
#include "utf8.h"

#include <string.h>

static const char hex[] = "0123456789abcdef";

/* For an ASCII byte that is not plain: 'u' for \u00XX, else the letter after the backslash. */
static char escape_of(unsigned char byte)
{
	switch (byte) {
	case '"':
	case '\\':
		return (char)byte;
	case '\n':
		return 'n';
	case '\r':
		return 'r';
	case '\t':
		return 't';
	default:
		return 'u';
	}
}

static void append_escape(struct buffer *out, unsigned char byte, char escape)
{
	char text[6] = {'\\', escape, '0', '0', hex[byte >> 4], hex[byte & 15]};

	buffer_append(out, text, escape == 'u' ? 6 : 2);
}

/* ASCII that stands for itself. */
static bool is_plain(unsigned char byte)
{
	return byte >= 0x20 && byte < 0x7f && byte != '"' && byte != '\\';
}

void json_escape(struct buffer *out, const char *text, size_t len)
{
	size_t done = 0; /* text[done..at) waits to be copied */
	size_t at = 0;

	buffer_append_char(out, '"');
	while (at < len) {
		unsigned char byte = (unsigned char)text[at];
		size_t step = byte < 0x80 ? 0 : utf8_sequence(text + at, len - at);

		if (is_plain(byte) || step > 0) {
			at += step > 0 ? step : 1;
			continue;
		}
		buffer_append(out, text + done, at - done);
		if (byte < 0x80)
			append_escape(out, byte, escape_of(byte));
		else
			buffer_append(out, "\xEF\xBF\xBD", 3);
		done = ++at;
	}
	buffer_append(out, text + done, at - done);
	buffer_append_char(out, '"');
}

static void separate(struct json_writer *writer)
{
	if (writer->comma)
		buffer_append_char(writer->out, ',');
	writer->comma = true;
}

static void begin(struct json_writer *writer, char bracket)
{
	separate(writer);
	buffer_append_char(writer->out, bracket);
	writer->comma = false;
}

static void end(struct json_writer *writer, char bracket)
{
	buffer_append_char(writer->out, bracket);
	writer->comma = true;
}

void json_begin_object(struct json_writer *writer)
{
	begin(writer, '{');
}

void json_end_object(struct json_writer *writer)
{
	end(writer, '}');
}

void json_begin_array(struct json_writer *writer)
{
	begin(writer, '[');
}

void json_end_array(struct json_writer *writer)
{
	end(writer, ']');
}

void json_key(struct json_writer *writer, const char *key)
{
	separate(writer);
	json_escape(writer->out, key, strlen(key));
	buffer_append_char(writer->out, ':');
	writer->comma = false;
}

void json_strn(struct json_writer *writer, const char *text, size_t len)
{
	separate(writer);
	json_escape(writer->out, text, len);
}

void json_str(struct json_writer *writer, const char *text)
{
	if (text == NULL)
		json_null(writer);
	else
		json_strn(writer, text, strlen(text));
}

void json_raw(struct json_writer *writer, const char *text, size_t len)
{
	separate(writer);
	buffer_append(writer->out, text, len);
}

void json_int(struct json_writer *writer, int64_t number)
{
	separate(writer);
	buffer_append_int(writer->out, number);
}

void json_bool(struct json_writer *writer, bool value)
{
	json_raw(writer, value ? "true" : "false", value ? 4 : 5);
}

void json_null(struct json_writer *writer)
{
	json_raw(writer, "null", 4);
}

void json_field_str(struct json_writer *writer, const char *key, const char *text)
{
	json_key(writer, key);
	json_str(writer, text);
}

void json_field_int(struct json_writer *writer, const char *key, int64_t number)
{
	json_key(writer, key);
	json_int(writer, number);
}

void json_field_bool(struct json_writer *writer, const char *key, bool value)
{
	json_key(writer, key);
	json_bool(writer, value);
}

void json_field_raw(struct json_writer *writer, const char *key, const char *text)
{
	json_key(writer, key);
	json_raw(writer, text, strlen(text));
}
