/* Names of events that nobody wants. */
#ifndef EVENT_FILTER_H
#define EVENT_FILTER_H

#include "ami_parser.h"

struct event_filter;

/* names are parted by spaces; "" or "none" for an empty filter. */
struct event_filter *event_filter_new(const char *names);
void event_filter_free(struct event_filter **filter);
bool event_filter_has(const struct event_filter *filter, const char *name, size_t len);
size_t event_filter_count(const struct event_filter *filter);
/* In no special order. */
const char *event_filter_name(const struct event_filter *filter, size_t index);

#endif
