/* The settings of ws-fanout. */
#ifndef WS_FANOUT_SETTINGS_H
#define WS_FANOUT_SETTINGS_H

#include "jwt_settings.h"
#include "redis_settings.h"

struct fanout_settings {
	char *listen;               /* WS_LISTEN */
	char *origins;              /* WS_ORIGINS */
	char *pbx_name, *pbxs;      /* PBX_NAME, PBX_NAMES: see fanout_pbxs() */
	int64_t connections_max;    /* WS_CONNECTIONS_MAX */
	int64_t message_max;        /* WS_MESSAGE_MAX, bytes */
	int64_t queue_kb;           /* WS_QUEUE_KB */
	int64_t backlog_kb;         /* WS_BACKLOG_KB, for each topic */
	int64_t replay_max;         /* WS_REPLAY_MAX, events */
	int64_t snapshot_max;       /* WS_SNAPSHOT_MAX, calls */
	int64_t ping_ms;            /* WS_PING_MS */
	int64_t ack_ms;             /* WS_ACK_MS */
	int64_t drain_ms;           /* WS_DRAIN_MS */
	int64_t spread_ms;          /* WS_SPREAD_MS */
	bool deflate;               /* WS_DEFLATE */
	int64_t webhook_attempts;   /* WEBHOOK_ATTEMPTS */
	int64_t webhook_backoff_ms; /* WEBHOOK_BACKOFF_MS */
};

extern struct fanout_settings fanout_settings;
extern struct redis_settings fanout_redis_settings;
extern struct jwt_settings fanout_jwt_settings;
/* Ended by a table of NULL. */
extern const struct settings_group fanout_settings_groups[];

/* Names of the PBXs, parted by blanks. */
const char *fanout_pbxs(void);

#endif
