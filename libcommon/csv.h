/* Comma-separated values (RFC 4180), read strictly from memory: quotes, commas and line breaks in
   quotes; and written so that no spreadsheet takes a text for a formula. Pure. */
#ifndef COMMON_CSV_H
#define COMMON_CSV_H

#include "buffer.h"

#include <stdbool.h>
#include <stddef.h>

#define CSV_FIELDS_MAX 96

struct csv {
	const char *at, *end; /* not read yet */
	size_t line;          /* of the record that was read last, from 1 */
	size_t next_line;
	char *text;                         /* of the record's fields, owned */
	const char *fields[CSV_FIELDS_MAX]; /* each ended by NUL */
	size_t count;
};

enum csv_result {
	CSV_RECORD,
	CSV_END,
	CSV_MALFORMED, /* a quote that is not closed, or is not at the border of a field */
	CSV_TOO_MANY_FIELDS,
};

/* text is borrowed; a byte order mark is skipped. */
void csv_open(struct csv *csv, const char *text, size_t len);
/* Blank lines are skipped. After a malformed record the following line is read. */
enum csv_result csv_next(struct csv *csv);
void csv_close(struct csv *csv);

/* What a spreadsheet would calculate; a number such as +4930 is none. */
bool csv_is_formula(const char *text);
/* A field in quotes; an apostrophe guards what would be a formula. */
void csv_put(struct buffer *out, const char *text);
/* Behind that apostrophe, where there is one: what the field was. */
const char *csv_unguard(const char *text);

#endif
