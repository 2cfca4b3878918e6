/* What the gateway can be told by its environment. */
#ifndef SETTINGS_GATEWAY_H
#define SETTINGS_GATEWAY_H

#include "jwt_settings.h"
#include "redis_settings.h"
#include "settings.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct gateway_settings {
	char *pbx_name, *host, *pbxs;
	int64_t port;
	char *username, *secret;
	bool plain_login;
	char *exclude;
	int64_t pool;
	int64_t buffer_mb;
	int64_t ping_ms, timeout_ms, lease_ms;
	int64_t snapshot_s;
};

/* One Asterisk server. */
struct pbx_config {
	char name[17];
	char *host, *port, *username, *secret; /* owned */
};

extern const struct settings_group gateway_settings_groups[];
/* Filled by the groups above. */
const struct gateway_settings *gateway_settings(void);
const struct redis_settings *gateway_redis_settings(void);
const struct jwt_settings *gateway_jwt_settings(void);

/* Rules between settings, and the list of PBXs. */
void gateway_settings_check(struct buffer *faults);
/* The PBXs that the settings name, at least one. The caller frees each with pbx_config_clear() and
   the array with free(). */
struct pbx_config *gateway_pbxs(size_t *count_r);
void pbx_config_clear(struct pbx_config *config);

#endif
