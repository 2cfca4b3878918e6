/* A bounded line in which everybody gets a turn: items stand in one queue for each origin (an
   address), and the origins take turns. When the line is full, the last item of the origin that has
   the most of them makes room for one that has fewer. Pure. */
#ifndef AUTH_SVC_FAIR_LINE_H
#define AUTH_SVC_FAIR_LINE_H

#include <stddef.h>

struct fair_line;

struct fair_line *fair_line_new(size_t max);
/* Nobody stands in it any more. */
void fair_line_free(struct fair_line **line);
/* origin is copied. Returns NULL when item stands in line; else the item that has no place: item
   itself, or another one that made room. */
void *fair_line_add(struct fair_line *line, const char *origin, void *item)
	__attribute__((warn_unused_result));
/* The next one, NULL when nobody waits. */
void *fair_line_take(struct fair_line *line);
size_t fair_line_count(const struct fair_line *line);

#endif
