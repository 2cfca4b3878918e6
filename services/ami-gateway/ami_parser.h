/* A push parser for what Asterisk sends: bytes in, one callback per message. No I/O, bounded, and
   no byte sequence can break it.

   A message is a block of "Key: value" lines, each ended by CR LF, and ended by an empty line.
   Lines are split on CR LF only: some values hold a bare LF. Source: the manager interface of
   Asterisk 22 (main/manager.c) and recordings of it. */
#ifndef AMI_PARSER_H
#define AMI_PARSER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define AMI_MESSAGE_MAX (256 * 1024) /* bytes; Asterisk's own go up to about 90 KB */
#define AMI_HEADERS_MAX 1024

struct ami_header {
	const char *key, *value; /* not NUL-terminated; may hold any byte */
	uint32_t key_len, value_len;
};

enum ami_kind {
	AMI_EVENT,    /* begins with "Event" */
	AMI_RESPONSE, /* begins with "Response" */
	AMI_TORN,     /* anything else: the rest of a message that a forged value cut in two */
};

/* Borrowed for the callback. */
struct ami_message {
	enum ami_kind kind;
	const struct ami_header *headers; /* in the order of arrival, repeated ones too */
	size_t count;                     /* at least 1 */
};

struct ami_parser_stats {
	uint64_t bytes;
	uint64_t events, responses, torn;
	uint64_t oversize;  /* messages past a bound: skipped whole */
	uint64_t odd_lines; /* lines without a colon: no header, not in the message */
};

struct ami_parser;

typedef void ami_message_fn(const struct ami_message *message, void *context);

struct ami_parser *ami_parser_new(ami_message_fn *fn, void *context);
/* Not from the callback: stop there and free later. */
void ami_parser_free(struct ami_parser **parser);
/* Calls fn for every message that is complete with these bytes. */
void ami_parser_feed(struct ami_parser *parser, const char *data, size_t len);
/* No further callback, also not from the feed that is under way. */
void ami_parser_stop(struct ami_parser *parser);
const struct ami_parser_stats *ami_parser_stats(const struct ami_parser *parser);

/* The first, the last header of that exact name; NULL when there is none. Asterisk puts what
   identifies a channel after what a caller may choose, so the last one is its own. */
const struct ami_header *ami_first(const struct ami_message *message, const char *key);
const struct ami_header *ami_last(const struct ami_message *message, const char *key);
bool ami_key_is(const struct ami_header *header, const char *key);
/* False for NULL. */
bool ami_header_is(const struct ami_header *header, const char *value);
/* The value cut to size as a C string, "" for NULL; trailing line ends are left out. */
void ami_header_copy(const struct ami_header *header, char *out, size_t size);

#endif
