/* Strict reading of request bodies: every member is named here, is a text, has its length and its
   characters. */
#ifndef AUTH_SVC_FIELDS_H
#define AUTH_SVC_FIELDS_H

#include "http_server.h"

struct field {
	const char *name; /* NULL ends the list */
	bool required;
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

#endif
