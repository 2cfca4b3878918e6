#include "ami_parser.h"

#include "buffer.h"
#include "mem.h"

#include <stdlib.h>
#include <string.h>

/* Of the bytes that wait: 0..start are done with, start..line are complete lines of the message
   under way (its headers point into them), line..seek is the line under way without an end. */
struct ami_parser {
	ami_message_fn *fn;
	void *context;
	struct buffer bytes;
	size_t start, line, seek;
	size_t count;
	bool skipping; /* the message under way is past a bound */
	bool stopped;
	struct ami_parser_stats stats;
	struct ami_header headers[AMI_HEADERS_MAX];
};

struct ami_parser *ami_parser_new(ami_message_fn *fn, void *context)
{
	struct ami_parser *parser = mem_new(struct ami_parser);

	parser->fn = fn;
	parser->context = context;
	return parser;
}

void ami_parser_free(struct ami_parser **parser)
{
	struct ami_parser *gone = *parser;

	*parser = NULL;
	if (gone == NULL)
		return;
	buffer_free(&gone->bytes);
	free(gone);
}

void ami_parser_stop(struct ami_parser *parser)
{
	parser->stopped = true;
}

const struct ami_parser_stats *ami_parser_stats(const struct ami_parser *parser)
{
	return &parser->stats;
}

bool ami_key_is(const struct ami_header *header, const char *key)
{
	return header->key_len == strlen(key) && memcmp(header->key, key, header->key_len) == 0;
}

static enum ami_kind kind_of(const struct ami_header *first)
{
	if (ami_key_is(first, "Event"))
		return AMI_EVENT;
	return ami_key_is(first, "Response") ? AMI_RESPONSE : AMI_TORN;
}

static void skip_message(struct ami_parser *parser)
{
	if (!parser->skipping)
		parser->stats.oversize++;
	parser->skipping = true;
	parser->count = 0;
}

static void end_message(struct ami_parser *parser)
{
	struct ami_message message = {.headers = parser->headers, .count = parser->count};

	if (parser->line - parser->start > AMI_MESSAGE_MAX)
		skip_message(parser);
	if (!parser->skipping && parser->count > 0) {
		message.kind = kind_of(parser->headers);
		parser->stats.events += message.kind == AMI_EVENT;
		parser->stats.responses += message.kind == AMI_RESPONSE;
		parser->stats.torn += message.kind == AMI_TORN;
		parser->fn(&message, parser->context);
	}
	parser->skipping = false;
	parser->count = 0;
}

static void take_line(struct ami_parser *parser, const char *line, size_t len)
{
	const char *colon = memchr(line, ':', len);
	struct ami_header *header;
	const char *value;

	if (colon == NULL) {
		parser->stats.odd_lines++;
		return;
	}
	if (parser->count == AMI_HEADERS_MAX) {
		skip_message(parser);
		return;
	}
	value = colon + 1;
	if (value < line + len && *value == ' ')
		value++;
	header = &parser->headers[parser->count++];
	header->key = line;
	header->key_len = (uint32_t)(colon - line);
	header->value = value;
	header->value_len = (uint32_t)(line + len - value);
}

static void scan(struct ami_parser *parser)
{
	const char *base = parser->bytes.data;
	size_t len = parser->bytes.len;

	while (!parser->stopped) {
		const char *newline = memchr(base + parser->seek, '\n', len - parser->seek);
		size_t end;

		if (newline == NULL) {
			parser->seek = len;
			return;
		}
		end = (size_t)(newline - base);
		parser->seek = end + 1;
		if (end == parser->line || newline[-1] != '\r')
			continue; /* a bare LF belongs to the value */
		if (end - 1 == parser->line) {
			end_message(parser);
			parser->start = parser->seek;
		} else if (!parser->skipping) {
			take_line(parser, base + parser->line, end - 1 - parser->line);
		}
		parser->line = parser->seek;
	}
}

/* The headers of the message under way follow the bytes that they point to. */
static void rebase(struct ami_parser *parser, const char *from, const char *to)
{
	for (size_t i = 0; i < parser->count; i++) {
		parser->headers[i].key = to + (parser->headers[i].key - from);
		parser->headers[i].value = to + (parser->headers[i].value - from);
	}
}

/* Of a message that is skipped only the line under way matters: whether it is empty, and whether
   its last byte is a CR. */
static void forget_skipped(struct ami_parser *parser)
{
	parser->start = parser->line;
	if (parser->bytes.len - parser->line > 2) {
		parser->bytes.data[parser->line + 1] = parser->bytes.data[parser->bytes.len - 1];
		parser->bytes.len = parser->line + 2;
		parser->bytes.data[parser->bytes.len] = '\0';
		parser->seek = parser->bytes.len;
	}
}

static void forget_done(struct ami_parser *parser)
{
	if (parser->bytes.len - parser->start > AMI_MESSAGE_MAX)
		skip_message(parser);
	if (parser->skipping)
		forget_skipped(parser);
	if (parser->start == 0)
		return;
	rebase(parser, parser->bytes.data + parser->start, parser->bytes.data);
	buffer_consume(&parser->bytes, parser->start);
	parser->line -= parser->start;
	parser->seek -= parser->start;
	parser->start = 0;
}

void ami_parser_feed(struct ami_parser *parser, const char *data, size_t len)
{
	const char *before = parser->bytes.data;

	if (parser->stopped || len == 0)
		return;
	parser->stats.bytes += len;
	buffer_append(&parser->bytes, data, len);
	if (before != parser->bytes.data)
		rebase(parser, before, parser->bytes.data);
	scan(parser);
	forget_done(parser);
}

const struct ami_header *ami_first(const struct ami_message *message, const char *key)
{
	for (size_t i = 0; i < message->count; i++)
		if (ami_key_is(&message->headers[i], key))
			return &message->headers[i];
	return NULL;
}

const struct ami_header *ami_last(const struct ami_message *message, const char *key)
{
	for (size_t i = message->count; i > 0; i--)
		if (ami_key_is(&message->headers[i - 1], key))
			return &message->headers[i - 1];
	return NULL;
}

bool ami_header_is(const struct ami_header *header, const char *value)
{
	return header != NULL && header->value_len == strlen(value) &&
	       memcmp(header->value, value, header->value_len) == 0;
}

void ami_header_copy(const struct ami_header *header, char *out, size_t size)
{
	size_t len = header != NULL ? header->value_len : 0;

	while (len > 0 && (header->value[len - 1] == '\n' || header->value[len - 1] == '\r'))
		len--;
	if (len > size - 1)
		len = size - 1;
	if (len > 0)
		memcpy(out, header->value, len);
	out[len] = '\0';
}
