/* Who is asking: filled from a verified token and its live session. */
#ifndef COMMON_PRINCIPAL_H
#define COMMON_PRINCIPAL_H

#include "permissions.h" /* generated from proto/permissions.json */

#include <stdbool.h>
#include <stdint.h>

#define PRINCIPAL_TEAMS_SIZE 128

struct reach;

struct principal {
	char user_id[40];
	char username[65];
	char extension[33]; /* "" when the user has none */
	char session_id[40];
	char ami_session_id[40]; /* "" when no AMI session is alive */
	/* Whose agents and calls it may see, beyond its own: "*" everyone's, else the ids of teams
	   parted by one blank, "" nobody's. */
	char teams[PRINCIPAL_TEAMS_SIZE];
	char team[24]; /* its own, "" for none */
	const struct reach
		*reach; /* who belongs to its teams: reach.h; borrowed from struct auth */
	enum role role;
	uint64_t permissions;  /* bits of enum permission: what the role gives */
	int64_t expires_at_ms; /* of the token */
};

static inline bool principal_may(const struct principal *who, enum permission permission)
{
	return (who->permissions >> permission & 1) != 0;
}

#endif
