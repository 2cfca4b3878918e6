/* Strict reading of request bodies: every member is named here, is a text, has its length and its
   characters. */
#ifndef AUTH_SVC_FIELDS_H
#define AUTH_SVC_FIELDS_H

#include "http_server.h"

enum field_flags {
	FIELD_REQUIRED = 1,
	FIELD_NULLABLE = 2, /* null is there too, as "" */
	FIELD_FLAG = 4,     /* true or false, as "true" or "false" */
	FIELD_ANY = 8,      /* not a text: its handler looks at it; "" */
};

struct field {
	const char *name; /* NULL ends the list */
	unsigned flags;
	size_t min, max; /* bytes */
	bool (*is_valid)(const char *text);
	const char *meaning; /* what it must be, for people */
};

/* values_r gets one text for each field, borrowed from the request, NULL where it is absent. False:
   400 was replied. */
bool fields_read(struct http_request *request, const struct field *fields, const char **values_r);

/* [a-z0-9] first, then also . _ - */
bool field_is_username(const char *text);
bool field_is_extension(const char *text);
bool field_is_role(const char *text);
/* No control characters. */
bool field_is_plain(const char *text);
/* Plain, and no double quote, backslash or angle bracket: it becomes part of a caller id. */
bool field_is_display_name(const char *text);
/* local@domain, as far as it matters. */
bool field_is_email(const char *text);
/* The id of a row: 1 to 18 digits. */
bool field_is_row_id(const char *text);
/* The name of a queue, a team, a reason: letters, digits, signs that no header or key minds. */
bool field_is_name(const char *text);

/* 400 for one field. */
void field_reply_fault(struct http_request *request, const char *name, const char *fault);

#endif
