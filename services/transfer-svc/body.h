/* Strict reading of request bodies: every member is named here and has its kind and its bounds. */
#ifndef TRANSFER_SVC_BODY_H
#define TRANSFER_SVC_BODY_H

#include "http_server.h"

#include <stdint.h>

struct body_field {
	const char *name; /* NULL ends the list */
	enum {
		BODY_TEXT,
		BODY_NUMBER,
		BODY_FLAG,
	} kind;
	bool required;
	int64_t min, max;                   /* of a number */
	bool (*is_valid)(const char *text); /* of a text */
	const char *meaning;                /* what it must be, for people */
};

struct body_value {
	bool given;
	const char *text; /* "" when absent; borrowed from the request */
	int64_t number;   /* of a flag: 0 or 1 */
};

/* One value for each field. False: 400 invalid_field was replied. */
bool body_read(struct http_request *request, const struct body_field *fields,
	       struct body_value *values_r);

/* What may stand in an AMI value and in a part of an extension: no dot, no comma. */
bool body_is_number(const char *text);  /* digits * # + */
bool body_is_outside(const char *text); /* 3 to 20 digits, maybe a + first */
bool body_is_word(const char *text);    /* [A-Za-z0-9_-], at most 40 */
bool body_is_exten(const char *text);   /* the same and * # + */
bool body_is_call(const char *text);    /* an id in a path or a key */

#endif
