#ifndef TRANSFER_SVC_SETTINGS_H
#define TRANSFER_SVC_SETTINGS_H

#include "jwt_settings.h"
#include "redis_settings.h"
#include "sql_settings.h"

#define PBXS_MAX 16

struct transfer_settings {
	int64_t action_ms;        /* an action that was not sent by then never is */
	int64_t requested_ms;     /* Asterisk says nothing */
	int64_t ring_s;           /* default of the target's ringing */
	int64_t consult_s;        /* of a consultation */
	int64_t back_s;           /* as MAYDAY_BACK_SECONDS of the dialplan */
	int64_t grace_ms;         /* beyond what the dialplan was told */
	int64_t queue_s;          /* default of waiting in the target queue */
	bool fall_back;           /* default */
	char *contexts;           /* dialplan contexts that may be targets */
	char *external_allow;     /* prefixes of numbers outside */
	char *external_caller_id; /* "customer", "agent", or a number */
	int64_t lease_ttl_ms;
	char *pbxs, *pbx_name;
};

struct settings {
	struct transfer_settings transfer;
	struct jwt_settings jwt;
	struct redis_settings redis;
	struct sql_settings sql;
};

extern struct settings settings;
extern const struct settings_group settings_groups[];

/* The PBXs that are followed, names in static memory. Returns how many. */
size_t settings_pbxs(const char **names_r);
void settings_check(struct buffer *faults);

#endif
