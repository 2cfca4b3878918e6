/* Telephone numbers in E.164 ("+493012345"), from whatever people and telephones write. */
#ifndef CRM_DATA_SVC_PHONE_H
#define CRM_DATA_SVC_PHONE_H

#include <stdbool.h>
#include <stddef.h>

#define PHONE_MAX 17 /* plus, 15 digits, NUL */

/* How numbers without a country are read. */
struct phone_rules {
	const char *country;      /* "49" */
	const char *trunk_prefix; /* "0"; may be empty */
	const char *intl_prefix;  /* "00"; may be empty */
};

/* Blanks and - . / ( ) are skipped. False: it is no complete number. */
bool phone_normalise(const struct phone_rules *rules, const char *text, char out[PHONE_MAX]);
/* The beginning of a number, as it is typed: what a normalised number that begins so begins with.
   False: it is none. */
bool phone_prefix(const struct phone_rules *rules, const char *text, char out[PHONE_MAX]);
/* The number as it is dialled at home: "03012345"; abroad it stays as it is. */
void phone_national(const struct phone_rules *rules, const char *number, char out[PHONE_MAX + 3]);

#endif
