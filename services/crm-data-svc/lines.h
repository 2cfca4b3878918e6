/* Records as lines of a file, CSV or JSON: what an import reads and an export writes. Pure.

   A cell of a list holds its items parted by semicolons, a phone as "label: number"; flags are the
   names of those that are true, "!name" is one that is false. A backslash takes the next byte as it
   is. An empty cell says nothing. */
#ifndef CRM_DATA_SVC_LINES_H
#define CRM_DATA_SVC_LINES_H

#include "csv.h"
#include "kinds.h"

#define LINES_CUSTOM "custom." /* begins the column of a custom field */

struct line_form {
	const struct kind *kind;
	const cJSON *columns;     /* names, in their order; NULL for lines of JSON */
	const cJSON *definitions; /* of custom fields: documents of "fields" */
};

/* What an export has of each record, and an import may have; owned by the caller. */
cJSON *lines_columns(const struct kind *kind, const cJSON *definitions);
/* NULL when the head can be taken, else why not (static). */
const char *lines_check_head(const struct kind *kind, const struct csv *head);

/* A line as a body for fields_apply(), with "id" and "version" where it has them; what only the
   daemon writes is left out. NULL with *fault_r. */
cJSON *lines_read_csv(const struct line_form *form, const struct csv *record,
		      struct fault *fault_r);
cJSON *lines_read_json(const struct line_form *form, const char *text, size_t len,
		       struct fault *fault_r);

void lines_write_head(const struct line_form *form, struct buffer *out);
/* doc: as record_public() leaves it. */
void lines_write(const struct line_form *form, const cJSON *doc, struct buffer *out);

#endif
