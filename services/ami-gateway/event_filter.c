#include "event_filter.h"

#include "mem.h"

#include <stdlib.h>
#include <string.h>

#define SLOTS 256 /* by first letter, last letter and length: few names share one */

struct name {
	char *text; /* owned */
	size_t len;
	struct name *next; /* in the same slot */
};

struct event_filter {
	struct name *slots[SLOTS];
	const char **names; /* the same, in order */
	size_t count;
};

static size_t slot_of(const char *name, size_t len)
{
	return len == 0 ? 0
			: ((size_t)(unsigned char)name[0] * 7 +
			   (size_t)(unsigned char)name[len - 1] * 3 + len) %
				  SLOTS;
}

bool event_filter_has(const struct event_filter *filter, const char *name, size_t len)
{
	for (const struct name *at = filter->slots[slot_of(name, len)]; at != NULL; at = at->next)
		if (at->len == len && memcmp(at->text, name, len) == 0)
			return true;
	return false;
}

static void add(struct event_filter *filter, const char *text, size_t len)
{
	struct name **slot = &filter->slots[slot_of(text, len)];
	struct name *name;

	if (event_filter_has(filter, text, len))
		return;
	name = mem_new(struct name);
	name->text = mem_strndup(text, len);
	name->len = len;
	name->next = *slot;
	*slot = name;
	filter->names = mem_grow(filter->names, (filter->count + 1) * sizeof(*filter->names));
	filter->names[filter->count++] = name->text;
}

struct event_filter *event_filter_new(const char *names)
{
	struct event_filter *filter = mem_new(struct event_filter);

	if (strcmp(names, "none") == 0)
		return filter;
	for (const char *at = names + strspn(names, " "); *at != '\0'; at += strspn(at, " ")) {
		size_t len = strcspn(at, " ");

		add(filter, at, len);
		at += len;
	}
	return filter;
}

void event_filter_free(struct event_filter **_filter)
{
	struct event_filter *filter = *_filter;

	*_filter = NULL;
	if (filter == NULL)
		return;
	for (size_t i = 0; i < SLOTS; i++) {
		for (struct name *at = filter->slots[i], *next; at != NULL; at = next) {
			next = at->next;
			free(at->text);
			free(at);
		}
	}
	free(filter->names);
	free(filter);
}

size_t event_filter_count(const struct event_filter *filter)
{
	return filter->count;
}

const char *event_filter_name(const struct event_filter *filter, size_t index)
{
	return filter->names[index];
}
