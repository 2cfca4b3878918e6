/* One entry of events:ami:<pbx>, scanned in place: a JSON object whose members are strings,
   numbers, arrays (a repeated header) or objects. Nothing is copied until a value is asked for. */
#ifndef LIFECYCLE_ENTRY_H
#define LIFECYCLE_ENTRY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum entry_field {
#define FIELD(id, name) id,
#include "entry_fields.inc"
#undef FIELD
	ENTRY_FIELDS
};

/* A longer value is cut: nothing that the model keeps is longer. */
#define ENTRY_TEXT_MAX 256

struct entry_value {
	const char *text; /* after the opening quote, or the first byte; NULL: absent */
	uint32_t len;     /* up to the closing quote, or the whole of a number or object */
	bool string;      /* text is the inside of a JSON string */
	bool escaped;     /* it holds a backslash */
	bool repeated;    /* an array: text is its last element */
	uint8_t order;    /* position among the members, 255 for later ones */
};

struct entry {
	const char *at, *end; /* what is not scanned yet */
	struct entry_value event;
	int64_t t;
	uint8_t members;
	struct entry_value values[ENTRY_FIELDS];
	/* Values as C strings. */
	char arena[8192];
	size_t arena_used;
};

/* Reads up to the Event member, which the gateway writes first. data must outlive the entry.
   Returns 0, or -1 when it is no such object. */
int entry_begin(struct entry *entry, const char *data, size_t len);
/* Reads the other members. Returns 0, or -1 when the text is not JSON to its end. */
int entry_finish(struct entry *entry);
bool entry_has(const struct entry *entry, enum entry_field field);
/* The value as a string, unescaped, valid as long as the entry; NULL when absent, empty or
   "<unknown>". */
const char *entry_text(struct entry *entry, enum entry_field field);
int64_t entry_int(struct entry *entry, enum entry_field field, int64_t fallback);

#endif
