/* Which types of events a client follows, for topics of which it does not want all. */
#ifndef WS_FANOUT_TYPE_FILTER_H
#define WS_FANOUT_TYPE_FILTER_H

#include "event.h"
#include "json.h"

#define TYPE_FILTER_MAX 32
#define TYPE_NAME_MAX   40

struct type_filter;

/* Of these topics only what is named ("call:ended"); a topic of which nothing is named: all of it
   again. Names of other topics are skipped. Returns 0, or -1 when there would be more than
   TYPE_FILTER_MAX. *filter may be NULL before and after. */
int type_filter_set(struct type_filter **filter, topic_set topics, const char *const *names,
		    size_t count);
void type_filter_free(struct type_filter **filter);
bool type_filter_passes(const struct type_filter *filter, const struct event *event);
/* "types": [...] when the topic is filtered. */
void type_filter_write(const struct type_filter *filter, enum topic topic,
		       struct json_writer *writer);

#endif
