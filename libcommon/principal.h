/* Who is asking: filled from a verified token and its live session. */
#ifndef COMMON_PRINCIPAL_H
#define COMMON_PRINCIPAL_H

#include "permissions.h" /* generated from proto/permissions.json */

#include <stdbool.h>
#include <stdint.h>

struct principal {
	char user_id[40];
	char username[65];
	char extension[33]; /* "" when the user has none */
	char session_id[40];
	char ami_session_id[40]; /* "" when no AMI session is alive */
	enum role role;
	uint64_t permissions;  /* bits of enum permission: what the role gives */
	int64_t expires_at_ms; /* of the token */
};

static inline bool principal_may(const struct principal *who, enum permission permission)
{
	return (who->permissions >> permission & 1) != 0;
}

#endif
