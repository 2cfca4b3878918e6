#ifndef AUTH_SVC_SETTINGS_H
#define AUTH_SVC_SETTINGS_H

#include "jwt_settings.h"
#include "redis_settings.h"
#include "sql_settings.h"

struct auth_settings {
	char *keys_dir;           /* "" when tokens are signed with JWT_SECRET */
	int64_t token_ttl_s;      /* of an access token */
	int64_t session_ttl_s;    /* of a login */
	int64_t session_idle_s;   /* it ends earlier when it is not refreshed for so long */
	int64_t sessions_max;     /* of one user */
	char *superuser_name;     /* "": none is made */
	char *superuser_password; /* of the first user */
	int64_t hash_running;     /* password hashes at once */
	int64_t hash_waiting;     /* and behind them */
	int64_t failures_free;    /* wrong passwords before a user has to wait */
	int64_t failures_of_all;  /* in a minute, before everyone is suspected */
	int64_t key_rotate_s;     /* a new signing key is made after this time; 0: never */
	char *pbx_name, *pbxs;    /* see settings_pbxs() */
	char *sip_transport, *sip_context, *sip_codecs; /* of a new telephone */
	char *extensions; /* that agents may have: "1000-1999 3000-3999" */
};

/* Filled by the skeleton before anything else runs. */
struct settings {
	struct auth_settings auth;
	struct jwt_settings jwt;
	struct redis_settings redis;
	struct sql_settings sql;
};

extern struct settings settings;
extern const struct settings_group settings_groups[];

void settings_check(struct buffer *faults);
/* The PBXs that agents have telephones at, parted by blanks: at least one. */
const char *settings_pbxs(void);

#endif
