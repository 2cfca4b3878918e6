/* What everyone else has to learn when an agent was made, changed or removed in MariaDB: the
   audit's stream, the teams in Redis, and Asterisk. */
#ifndef AUTH_SVC_AGENT_NEWS_H
#define AUTH_SVC_AGENT_NEWS_H

#include "agents.h"
#include "http_server.h"

struct service;

void agent_made(struct service *service, struct http_request *request, const struct agent *agent);
void agent_changed(struct service *service, struct http_request *request,
		   const struct agent *agent);
void agent_removed(struct service *service, struct http_request *request, const struct user *user);
/* "sip": {...}: what the telephone logs in with; shown this once. */
void write_sip(struct json_writer *json, const char *extension, const char *secret);

#endif
