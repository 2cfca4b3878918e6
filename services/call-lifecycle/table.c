#include "table.h"

#include "mem.h"

#include <stdlib.h>
#include <string.h>

#define CAP_MIN 64

/* FNV-1a */
static uint32_t hash_of(const char *key)
{
	uint32_t hash = 2166136261U;

	for (; *key != '\0'; key++)
		hash = (hash ^ (unsigned char)*key) * 16777619U;
	return hash;
}

/* The slot of key, or the free one where it would stand. The table is never full. */
static size_t find(const struct table *table, const char *key, uint32_t hash)
{
	size_t mask = table->cap - 1;
	size_t at = hash & mask;

	while (table->slots[at].key != NULL &&
	       (table->slots[at].hash != hash || strcmp(table->slots[at].key, key) != 0))
		at = (at + 1) & mask;
	return at;
}

void *table_get(const struct table *table, const char *key)
{
	size_t at;

	if (table->used == 0)
		return NULL;
	at = find(table, key, hash_of(key));
	return table->slots[at].key != NULL ? table->slots[at].value : NULL;
}

static void grow(struct table *table)
{
	struct table_slot *old = table->slots;
	size_t old_cap = table->cap;

	table->cap = old_cap > 0 ? old_cap * 2 : CAP_MIN;
	table->slots = mem_array(struct table_slot, table->cap);
	for (size_t i = 0; i < old_cap; i++)
		if (old[i].key != NULL)
			table->slots[find(table, old[i].key, old[i].hash)] = old[i];
	free(old);
}

void table_put(struct table *table, const char *key, void *value)
{
	uint32_t hash = hash_of(key);
	size_t at;

	if ((table->used + 1) * 2 > table->cap)
		grow(table);
	at = find(table, key, hash);
	if (table->slots[at].key == NULL)
		table->used++;
	table->slots[at] = (struct table_slot){key, value, hash};
}

/* Moves later entries of the same run back, so that no gap breaks their search. */
static void close_gap(struct table *table, size_t gap)
{
	size_t mask = table->cap - 1;

	for (size_t at = (gap + 1) & mask; table->slots[at].key != NULL; at = (at + 1) & mask) {
		size_t home = table->slots[at].hash & mask;

		if (((at - home) & mask) < ((at - gap) & mask))
			continue;
		table->slots[gap] = table->slots[at];
		gap = at;
	}
	table->slots[gap] = (struct table_slot){NULL, NULL, 0};
}

void *table_remove(struct table *table, const char *key)
{
	size_t at;
	void *value;

	if (table->used == 0)
		return NULL;
	at = find(table, key, hash_of(key));
	if (table->slots[at].key == NULL)
		return NULL;
	value = table->slots[at].value;
	close_gap(table, at);
	table->used--;
	return value;
}

void *table_next(const struct table *table, size_t *cursor)
{
	while (*cursor < table->cap) {
		const struct table_slot *slot = &table->slots[(*cursor)++];

		if (slot->key != NULL)
			return slot->value;
	}
	return NULL;
}

void table_free(struct table *table)
{
	free(table->slots);
	*table = (struct table){NULL, 0, 0};
}
