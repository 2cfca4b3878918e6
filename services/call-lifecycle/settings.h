#ifndef LIFECYCLE_SETTINGS_H
#define LIFECYCLE_SETTINGS_H

#include "jwt_settings.h"
#include "redis_settings.h"
#include "sql_settings.h"
#include "zone.h"

struct lifecycle_settings {
	char *pbx_name; /* the one that new calls go to when it is the only one */
	char *pbxs;     /* those that are followed, parted by blanks; "": pbx_name alone */
	int64_t pbx_down_s;
	int64_t batch;
	int64_t calls_max;
	int64_t lease_ttl_ms;
	char *context;   /* of the dialplan, for what is dialled */
	char *variables; /* names that an originate may set */
	int64_t command_timeout_ms;
	int64_t wrap_up_s;
	char *recordings_dir; /* "": not on this host */
	int64_t recordings_days;
};

/* History and statistics. */
struct numbers_settings {
	int64_t batch;
	int64_t keep_days;
	char *zone, *zones;
	char *service_level_s, *short_abandon_s; /* digits */
};

/* Filled by the skeleton before anything else runs. */
struct settings {
	struct lifecycle_settings lifecycle;
	struct numbers_settings numbers;
	struct jwt_settings jwt;
	struct redis_settings redis;
	struct sql_settings sql; /* host "": without MariaDB */
};

#define PBXS_MAX 16

extern struct settings settings;
extern const struct settings_group settings_groups[];

void settings_check(struct buffer *faults);
/* The names in pbxs, at most PBXS_MAX, owned until the process ends. Returns how many. */
size_t settings_pbxs(const char **names_r);
/* The zone of STATS_TIME_ZONE, then those of STATS_TIME_ZONES. */
const struct zones *settings_zones(void);

#endif
