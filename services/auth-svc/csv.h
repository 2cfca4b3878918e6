/* Comma-separated values (RFC 4180), read strictly from memory: quotes, commas and line breaks in
   quotes. Pure. */
#ifndef AUTH_SVC_CSV_H
#define AUTH_SVC_CSV_H

#include <stdbool.h>
#include <stddef.h>

#define CSV_FIELDS_MAX 16

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

#endif
