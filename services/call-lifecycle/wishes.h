/* Carries out what agents wish elsewhere (wishes:agent, written by auth-svc): one instance at a
   time follows the stream and tells Asterisk. A wish that nobody could hear is carried out when
   somebody can; of several of one agent the last counts. */
#ifndef LIFECYCLE_WISHES_H
#define LIFECYCLE_WISHES_H

#include "commands.h"
#include "redis_settings.h"

struct wishes;

struct wishes_settings {
	const struct redis_settings *redis; /* all borrowed */
	struct commands *commands;
	const char *instance, *pbx;
	int64_t lease_ttl_ms;
};

struct wishes *wishes_open(uv_loop_t *loop, const struct wishes_settings *set);
void wishes_close(struct wishes **wishes);

#endif
