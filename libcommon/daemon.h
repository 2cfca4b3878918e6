/* The skeleton that runs every service: options, settings, log, loop, HTTP with the standard
   routes, signals and drain.

   Options: --help prints the settings, --check validates and exits, --healthy asks the one that
   runs,
   --routes, --version; anything else is refused. A supervisor that wants to be told (NOTIFY_SOCKET)
   is. SIGTERM or SIGINT: drain, leave within 5 s; a second one leaves at once. SIGHUP: log level
   back to its setting. SIGUSR1: log level debug until the next SIGHUP. */
#ifndef COMMON_DAEMON_H
#define COMMON_DAEMON_H

#include "health.h"
#include "http_server.h"
#include "metrics.h"
#include "settings.h"

#include <uv.h>

/* What the skeleton has made before open() is called, borrowed by the service for its life. */
struct daemon {
	const char *name;
	uv_loop_t *loop;
	struct health *health;
	struct metrics *metrics;
	struct http_server *http;
	char instance[96]; /* host:pid:random, for leases and consumers */
};

struct daemon_definition {
	const char *name;    /* "ami-gateway" */
	const char *summary; /* one line for --help */
	const char *listen;  /* default of HTTP_LISTEN */
	/* The service's own groups, ended by a table of NULL; log and HTTP settings come by
	 * themselves. */
	const struct settings_group *groups;
	/* Rules between settings: appends one line per fault. May be NULL. */
	void (*check)(struct buffer *faults);
	/* Dependencies may be away: open() never waits for them. Returns 0, or -1 with *error_r
	 * (static or owned by nobody). */
	int (*open)(struct daemon *daemon, void **service_r, const char **error_r);
	/* Stop taking work; call daemon_drained() when what is in hand is finished. May be NULL. */
	void (*drain)(void *service);
	void (*close)(void *service);
	/* An extra option such as --migrate [VERSION], whose value is NULL when it is left out:
	 * returns an exit status. NULL name: none. */
	struct {
		const char *name, *value, *meaning;
		int (*run)(const char *value);
	} command;
};

/* Returns the exit status for main(). */
int daemon_main(const struct daemon_definition *definition, int argc, char *argv[]);
void daemon_drained(struct daemon *daemon);

#endif
