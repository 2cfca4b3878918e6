/* A daemon with one route for each thing that the HTTP library does, for tests and load. */
#ifndef HTTP_PROBE_H
#define HTTP_PROBE_H

#include "daemon.h"
#include "redis_link.h"
#include "redis_settings.h"

struct probe {
	struct daemon *daemon;
	struct redis_link *link;
	int orders; /* made so far */
};

extern struct redis_settings probe_redis;
extern const struct http_route probe_routes[];

int probe_open(struct daemon *daemon, void **probe_r, const char **error_r);
void probe_close(void *probe);

/* "Bearer <role>" is that role with an AMI session, "Bearer <role>-without-ami" one without;
   answers from a timer. */
void probe_authenticate(struct http_request *request, void *probe);
/* Calls fn(request, probe) after ms. */
void probe_after(struct probe *probe, struct http_request *request, int64_t ms,
		 http_handler_fn *fn);

#endif
