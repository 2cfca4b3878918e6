/* How tokens are signed and checked: one table for every daemon. */
#ifndef COMMON_JWT_SETTINGS_H
#define COMMON_JWT_SETTINGS_H

#include "settings.h"

struct jwt_settings {
	char *secret;     /* JWT_SECRET, at least 32 bytes: HS256. "" when keys are used */
	char *issuer;     /* JWT_ISSUER, "mayday" */
	char *audience;   /* JWT_AUDIENCE, "mayday" */
	int64_t leeway_s; /* JWT_LEEWAY_S: clocks may differ by this much */
};

extern const struct setting jwt_settings_table[];

#endif
