/* The body of an import in pieces of so many records, so that each can be read alone. Pure. */
#ifndef CRM_DATA_SVC_JOB_INPUT_H
#define CRM_DATA_SVC_JOB_INPUT_H

#include "csv.h"

#include <stdbool.h>
#include <stdint.h>

struct job_input {
	bool is_csv;
	const char *at, *end;
	struct csv csv; /* behind the head, when it is CSV */
	int64_t next_line;
	/* Of the piece that was taken last. */
	const char *text;
	size_t len, records;
	int64_t line; /* its first one, from 1 */
};

void job_input_open(struct job_input *input, const char *text, size_t len, bool is_csv);
/* The next piece of at most max records; false at the end. */
bool job_input_next(struct job_input *input, size_t max);
void job_input_close(struct job_input *input);

#endif
