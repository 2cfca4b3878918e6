/* What the generated messages (proto/gen/msg_*.h) share: a message is a plain struct and a table of
   its fields; one reader and one writer serve them all.

   Structs borrow: after _parse() strings and trees belong to the cJSON tree that was read, before
   _write() to the caller. Nothing is allocated and nothing is to be freed. */
#ifndef COMMON_MESSAGE_H
#define COMMON_MESSAGE_H

#include "json.h"

#include <stdbool.h>
#include <stddef.h>

/* Any JSON value: _parse() sets tree; _write() copies text where it is set, else prints tree. */
struct message_json {
	const cJSON *tree;
	const char *text;
};

enum message_kind {
	MESSAGE_STRING,  /* const char *, NULL when absent */
	MESSAGE_INT,     /* int64_t */
	MESSAGE_BOOL,    /* bool */
	MESSAGE_ENUM,    /* an enum whose names are in order, from 0 */
	MESSAGE_STRINGS, /* const char *[max] with a size_t count before it */
	MESSAGE_OBJECT,  /* struct message_json */
	MESSAGE_ARRAY,   /* struct message_json */
	MESSAGE_ANY,     /* struct message_json */
	/* Not in the struct: always this value. */
	MESSAGE_CONST_STRING,
	MESSAGE_CONST_INT,
};

struct message_field {
	const char *key;
	enum message_kind kind;
	bool required;
	size_t offset; /* of the member; of the count for MESSAGE_STRINGS */
	size_t items;  /* MESSAGE_STRINGS: offset of the array */
	size_t has; /* offset of the bool that says whether an optional int, bool or enum is there
		     */
	int64_t min, max;         /* int: bounds; string: bytes; strings: items */
	const char *const *names; /* of an enum, ended by NULL */
	const char *text;         /* of a constant string */
	const char *fault;        /* what to say when it is missing or not right */
};

/* fields is ended by a NULL key. Keys that are not in it are skipped. Returns 0, or -1 with
 *error_r (static) naming the field; *message_r is then not to be used. */
int message_parse(const struct message_field *fields, const cJSON *object, void *message_r,
		  const char **error_r);
/* One object; absent optional members are left out. */
void message_write(const struct message_field *fields, const void *message,
		   struct json_writer *writer);

#endif
