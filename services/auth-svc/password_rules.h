/* Which passwords may be chosen: long enough, not the user's own name, not what everybody takes. */
#ifndef AUTH_SVC_PASSWORD_RULES_H
#define AUTH_SVC_PASSWORD_RULES_H

#include <stddef.h>

#define PASSWORD_MIN 12
#define PASSWORD_MAX 256

/* NULL when it is good, else what is wrong with it, for people. */
const char *password_fault(const char *text, const char *username);

#endif
