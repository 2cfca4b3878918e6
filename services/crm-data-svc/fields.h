/* What may stand in a record: a table of fields for each kind, held against what a request brings.
   Nothing gets into a document but what a table names, so no key of a document is ever chosen from
   outside, other than those of "custom", which are checked too. */
#ifndef CRM_DATA_SVC_FIELDS_H
#define CRM_DATA_SVC_FIELDS_H

#include "phone.h"

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stdint.h>

enum field_type {
	FIELD_TEXT,   /* one line */
	FIELD_PROSE,  /* may have several */
	FIELD_ID,     /* of another record */
	FIELD_NAME,   /* [A-Za-z][A-Za-z0-9_]*: a key, a code */
	FIELD_CHOICE, /* one of the words in choices */
	FIELD_INT,
	FIELD_TIME, /* Unix ms */
	FIELD_BOOL,
	FIELD_PHONES, /* ["030 1234", {"number", "label"?}] -> [{"number", "national", "label"?}] */
	FIELD_EMAILS,
	FIELD_TAGS,
	FIELD_FLAGS,  /* an object of booleans, named in choices */
	FIELD_CUSTOM, /* an object; see custom.h for what is checked later */
};

enum field_flags {
	FIELD_REQUIRED = 1,
	FIELD_FIXED = 2,      /* set when it is made, never changed */
	FIELD_FILTER = 4,     /* ?name=value in lists */
	FIELD_SORT = 8,       /* ?sort=name */
	FIELD_SEARCH = 16,    /* its words are found */
	FIELD_READ_ONLY = 32, /* only the daemon sets it */
	FIELD_PERSONAL = 64,  /* goes when a person's data are erased */
};

struct field {
	const char *name; /* NULL ends the table */
	enum field_type type;
	unsigned flags;
	int64_t min, max;    /* bytes of a text, values of a number, items of a list */
	const char *choices; /* words parted by one blank */
};

/* Why a request is refused: code and message are static, field is cut. */
struct fault {
	const char *code;
	const char *message;
	char field[65];
};

/* Puts what body says into doc: null takes a field away. creating: required fields must come, fixed
   ones may. Returns 0, or -1 with *fault_r; then doc is not to be used. */
int fields_apply(const struct field *fields, const struct phone_rules *rules, const cJSON *body,
		 bool creating, cJSON *doc, struct fault *fault_r)
	__attribute__((warn_unused_result));
const struct field *fields_find(const struct field *fields, const char *name);
/* The value of a filter in a query, as it stands in documents; NULL when it cannot be one. */
cJSON *fields_filter_value(const struct field *field, const char *text);
bool field_is_name(const char *text);
/* No control characters; lines: but line ends and tabs. */
bool field_is_plain(const char *text, bool lines);
bool field_is_email(const char *text);
bool fault_set(struct fault *fault, const char *code, const char *field, const char *message);

#endif
