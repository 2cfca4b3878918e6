/* Where a daemon listens and what it puts up with: one table for every daemon. */
#ifndef COMMON_HTTP_SETTINGS_H
#define COMMON_HTTP_SETTINGS_H

#include "settings.h"

struct http_settings {
	char *listen;                /* HTTP_LISTEN, address:port */
	int64_t connections_max;     /* HTTP_CONNECTIONS_MAX */
	int64_t body_max;            /* HTTP_BODY_MAX, bytes */
	int64_t request_deadline_ms; /* HTTP_REQUEST_DEADLINE_MS: reading and answering one request
				      */
};

/* The default of HTTP_LISTEN comes from the daemon: see daemon.h. */
extern const struct setting http_settings_table[];

#endif
