/* call-lifecycle: owns its modules; they borrow each other through here. */
#ifndef LIFECYCLE_SERVICE_H
#define LIFECYCLE_SERVICE_H

#include "auth.h"
#include "commands.h"
#include "daemon.h"
#include "follower.h"
#include "pbx_watch.h"
#include "redis_link.h"
#include "settings.h"

struct service {
	struct daemon *daemon;
	struct redis_link *link;
	struct auth *auth;
	struct commands *commands;
	struct pbx_watch *watch;
	const char *pbxs[PBXS_MAX];
	size_t pbx_count;
	struct follower *followers[PBXS_MAX];
	struct health_item *redis_health;
	struct timer *drain;
};

int service_open(struct daemon *daemon, void **service_r, const char **error_r);
void service_drain(void *service);
void service_close(void *service);

#endif
