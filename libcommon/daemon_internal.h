/* What the files of the skeleton share; not for services. */
#ifndef COMMON_DAEMON_INTERNAL_H
#define COMMON_DAEMON_INTERNAL_H

#include "daemon.h"

/* The settings that every daemon has, beside its own groups. */
struct daemon_settings {
	char *log_level;
	char *log_format;
	struct http_settings http;
};

/* The common groups and the service's own, ended by a table of NULL. Borrowed; one set per process.
 */
const struct settings_group *daemon_groups(const struct daemon_definition *definition,
					   struct daemon_settings *settings);

enum daemon_option {
	DAEMON_RUN,
	DAEMON_CHECK,   /* settings are good: say so and leave */
	DAEMON_HEALTHY, /* ask the one that runs, and leave */
	DAEMON_ROUTES,  /* print the route table and leave */
	DAEMON_COMMAND, /* the definition's own command */
	DAEMON_DONE,    /* --help, --version: said already */
	DAEMON_USAGE,   /* refused: said already */
};

enum daemon_option daemon_option_parse(const struct daemon_definition *definition,
				       const struct settings_group *groups, int argc, char *argv[]);

/* Returns 0 when a daemon answers /healthz at that address. */
int daemon_healthy(const char *name, const char *listen);

/* /healthz, /readyz and /metrics. */
extern const struct http_route daemon_routes[];

#endif
