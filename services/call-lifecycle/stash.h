/* Entries that were read and have to wait: copies, as those of a batch are only borrowed. */
#ifndef LIFECYCLE_STASH_H
#define LIFECYCLE_STASH_H

#include "stream_reader.h"

/* Zeroed: empty. */
struct stash {
	struct stream_entry *entries;
	size_t count;
};

struct stash stash_copy(const struct stream_entry *entries, size_t count);
void stash_free(struct stash *stash);

#endif
