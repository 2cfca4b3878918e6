#include "fair_line.h"

#include "mem.h"

#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

struct place {
	TAILQ_ENTRY(place) entry;
	void *item;
};

struct origin {
	TAILQ_ENTRY(origin) entry; /* the first has the next turn */
	TAILQ_HEAD(place_list, place) places;
	size_t count;
	char *name;
};

struct fair_line {
	TAILQ_HEAD(, origin) origins;
	size_t count, max;
};

struct fair_line *fair_line_new(size_t max)
{
	struct fair_line *line = mem_new(struct fair_line);

	TAILQ_INIT(&line->origins);
	line->max = max;
	return line;
}

static struct origin *find(const struct fair_line *line, const char *name)
{
	struct origin *origin;

	TAILQ_FOREACH(origin, &line->origins, entry)
	if (strcmp(origin->name, name) == 0)
		return origin;
	return NULL;
}

static struct origin *add_origin(struct fair_line *line, const char *name)
{
	struct origin *origin = mem_new(struct origin);

	TAILQ_INIT(&origin->places);
	origin->name = mem_strdup(name);
	TAILQ_INSERT_TAIL(&line->origins, origin, entry);
	return origin;
}

static struct origin *longest(const struct fair_line *line)
{
	struct origin *origin, *found = NULL;

	TAILQ_FOREACH(origin, &line->origins, entry)
	if (found == NULL || origin->count > found->count)
		found = origin;
	return found;
}

static void *take_place(struct fair_line *line, struct origin *origin, struct place *place)
{
	void *item = place->item;

	TAILQ_REMOVE(&origin->places, place, entry);
	free(place);
	line->count--;
	if (--origin->count == 0) {
		TAILQ_REMOVE(&line->origins, origin, entry);
		free(origin->name);
		free(origin);
	}
	return item;
}

void *fair_line_add(struct fair_line *line, const char *name, void *item)
{
	struct origin *origin = find(line, name);
	struct origin *most = longest(line);
	struct place *place, *last;
	void *displaced = NULL;

	if (line->count >= line->max) {
		if (most == NULL || most->count <= (origin != NULL ? origin->count : 0) + 1)
			return item;
		last = TAILQ_LAST(&most->places, place_list);
		displaced = take_place(line, most, last);
	}
	if (origin == NULL)
		origin = add_origin(line, name);
	place = mem_new(struct place);
	place->item = item;
	TAILQ_INSERT_TAIL(&origin->places, place, entry);
	origin->count++;
	line->count++;
	return displaced;
}

void *fair_line_take(struct fair_line *line)
{
	struct origin *origin = TAILQ_FIRST(&line->origins);
	void *item;

	if (origin == NULL)
		return NULL;
	TAILQ_REMOVE(&line->origins, origin, entry);
	TAILQ_INSERT_TAIL(&line->origins, origin, entry);
	item = take_place(line, origin, TAILQ_FIRST(&origin->places));
	return item;
}

size_t fair_line_count(const struct fair_line *line)
{
	return line->count;
}

void fair_line_free(struct fair_line **_line)
{
	free(*_line);
	*_line = NULL;
}
