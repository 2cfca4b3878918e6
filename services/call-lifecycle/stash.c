#include "stash.h"

#include "mem.h"

#include <stdlib.h>

struct stash stash_copy(const struct stream_entry *entries, size_t count)
{
	struct stash stash = {NULL, count};

	if (count > 0)
		stash.entries = mem_array(struct stream_entry, count);
	for (size_t i = 0; i < count; i++)
		stash.entries[i] = (struct stream_entry){
			.id = mem_strdup(entries[i].id),
			.data = mem_strndup(entries[i].data, entries[i].len),
			.len = entries[i].len,
		};
	return stash;
}

void stash_free(struct stash *stash)
{
	for (size_t i = 0; i < stash->count; i++) {
		free((char *)stash->entries[i].id);
		free((char *)stash->entries[i].data);
	}
	free(stash->entries);
	*stash = (struct stash){NULL, 0};
}
