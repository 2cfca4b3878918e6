#include "probe.h"

#include "idempotency.h"
#include "loop.h"
#include "mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct wait {
	struct timer *timer;
	struct probe *probe;
	struct http_request *request;
	http_handler_fn *fn;
};

static void on_wait(void *context)
{
	struct wait wait = *(struct wait *)context;

	free(context);
	timer_stop(&wait.timer);
	wait.fn(wait.request, wait.probe);
}

void probe_after(struct probe *probe, struct http_request *request, int64_t ms, http_handler_fn *fn)
{
	struct wait *wait = mem_new(struct wait);

	*wait = (struct wait){NULL, probe, request, fn};
	wait->timer = timer_start(probe->daemon->loop, ms, 0, on_wait, wait);
}

static void authenticated(struct http_request *request, void *probe)
{
	struct principal *who = http_principal(request);
	const char *token = http_header(request, "Authorization");
	char role[32] = "";

	(void)probe;
	if (token == NULL || sscanf(token, "Bearer %31[a-z]", role) != 1 ||
	    !role_parse(role, &who->role)) {
		http_reply_error(request, 401, "invalid_token", "A role is the token here");
		return;
	}
	snprintf(who->user_id, sizeof(who->user_id), "%s", role);
	who->permissions = role_permissions(who->role);
	if (strstr(token, "-without-ami") == NULL)
		snprintf(who->ami_session_id, sizeof(who->ami_session_id), "ami-1");
	http_proceed(request);
}

void probe_authenticate(struct http_request *request, void *probe)
{
	probe_after(probe, request, 1, authenticated);
}

static void on_up(void *context)
{
	health_set(context, true, NULL);
}

static void on_down(const char *reason, void *context)
{
	health_set(context, false, reason);
}

int probe_open(struct daemon *daemon, void **probe_r, const char **error_r)
{
	struct probe *probe = mem_new(struct probe);
	struct redis_link_hooks hooks = {on_up, on_down,
					 health_add(daemon->health, "redis", false)};

	(void)error_r;
	probe->daemon = daemon;
	probe->link = redis_link_open(daemon->loop, &probe_redis, "commands", &hooks);
	http_server_add_routes(daemon->http, probe_routes, probe);
	http_server_set_authenticate(daemon->http, probe_authenticate, probe);
	http_server_set_idempotency(daemon->http, idempotency_check, probe->link);
	*probe_r = probe;
	return 0;
}

void probe_close(void *_probe)
{
	struct probe *probe = _probe;

	redis_link_close(&probe->link);
	free(probe);
}
