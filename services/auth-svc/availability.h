/* Whether an agent takes calls, in the agent's own words. */
#ifndef AUTH_SVC_AVAILABILITY_H
#define AUTH_SVC_AVAILABILITY_H

#include <stdbool.h>

enum availability {
	AVAILABILITY_AVAILABLE,
	AVAILABILITY_BREAK,
	AVAILABILITY_LUNCH,
	AVAILABILITY_DND,
	AVAILABILITY_WRAP_UP,
	AVAILABILITY_OFFLINE,
};

/* "wrap-up" */
const char *availability_name(enum availability availability);
bool availability_parse(const char *name, enum availability *availability_r);

#endif
