/* What services may ask of Asterisk. Anything that could run a program on the Asterisk machine, or
   change who may do what, is not on the list. */
#ifndef ACTION_RULES_H
#define ACTION_RULES_H

#include <stddef.h>

struct action_field {
	const char *key, *value;
};

/* NULL when the action with these fields may be sent, else why not (static). */
const char *action_refusal(const char *action, const struct action_field *fields, size_t count);

#endif
