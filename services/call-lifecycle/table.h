/* A hash from strings to pointers. Keys are borrowed from the values: they must stand still and
   live as long as the value is in the table. */
#ifndef LIFECYCLE_TABLE_H
#define LIFECYCLE_TABLE_H

#include <stddef.h>
#include <stdint.h>

struct table_slot {
	const char *key; /* NULL: free */
	void *value;
	uint32_t hash;
};

/* A zeroed table is an empty one. */
struct table {
	struct table_slot *slots;
	size_t cap; /* 0 or a power of two */
	size_t used;
};

void *table_get(const struct table *table, const char *key);
/* Replaces what stood under the key. */
void table_put(struct table *table, const char *key, void *value);
/* Returns what was there, or NULL. */
void *table_remove(struct table *table, const char *key);
/* Walks in no particular order; *cursor begins at 0. NULL at the end. The table must not change on
   the way. */
void *table_next(const struct table *table, size_t *cursor);
void table_free(struct table *table);

#endif
