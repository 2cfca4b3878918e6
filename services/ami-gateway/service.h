/* The whole gateway: its PBXs, its store, its route. */
#ifndef SERVICE_H
#define SERVICE_H

#include "daemon.h"
#include "pbx.h"

struct service {
	struct daemon *daemon;
	struct store *store;
	struct auth *auth;
	struct health_item *redis;
	struct event_filter *filter;
	struct pbx_config *configs; /* owned, with pbxs: as many as count */
	struct pbx **pbxs;
	char (*health_names)[24];
	size_t count;
	size_t draining; /* PBXs that are not drained yet */
};

int service_open(struct daemon *daemon, void **service_r, const char **error_r);
void service_drain(void *service);
void service_close(void *service);

#endif
