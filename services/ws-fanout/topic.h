/* The topics that a client can follow: one for each events:<topic> stream. */
#ifndef WS_FANOUT_TOPIC_H
#define WS_FANOUT_TOPIC_H

#include "principal.h"

#include <stdbool.h>
#include <stdint.h>

enum topic {
	TOPIC_CALL,
	TOPIC_AGENT,
	TOPIC_QUEUE,
	TOPIC_TRANSFER,
	TOPIC_SESSION,
	TOPIC_AMI,
	TOPIC_CRM,
	TOPIC_COUNT
};

/* A set of topics: bit n stands for topic n. */
typedef uint8_t topic_set;

#define TOPIC_ALL ((topic_set)((1U << TOPIC_COUNT) - 1))

static inline topic_set topic_bit(enum topic topic)
{
	return (topic_set)(1U << topic);
}

/* How much of a topic a client may see. */
enum topic_view {
	TOPIC_VIEW_NONE,
	TOPIC_VIEW_OWN, /* events about its own extension */
	TOPIC_VIEW_ALL  /* or of those of its teams: reach.h */
};

const char *topic_name(enum topic topic);
bool topic_parse(const char *name, enum topic *topic_r);
enum topic_view topic_view(enum topic topic, const struct principal *who);
/* The permission to see more of it than the own; for reach.h. */
enum permission topic_permission(enum topic topic);
/* Whether teams part it. Queues and connections to Asterisk belong to none. */
bool topic_has_teams(enum topic topic);

#endif
