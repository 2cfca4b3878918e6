#include "webhooks.h"

#include "courier.h"
#include "lease.h"
#include "loop.h"
#include "mem.h"
#include "store_webhook.h"

#include <stdlib.h>
#include <string.h>

#define RELOAD_MS    2000 /* what was changed by REST of another instance */
#define LEASE_TTL_MS 5000

struct webhooks {
	uv_loop_t *loop;
	struct hub *hub;
	struct http_client *http;
	struct lease *lease;
	struct timer *timer;
	struct courier *couriers[STORE_WEBHOOKS_MAX];
	size_t count;
	bool asking, again, freed;
	unsigned refs; /* one for the owner, one for an answer that is on its way */
};

static void unref(struct webhooks *webhooks)
{
	if (--webhooks->refs == 0)
		free(webhooks);
}

static void stop_all(struct webhooks *webhooks)
{
	while (webhooks->count > 0)
		courier_free(&webhooks->couriers[--webhooks->count]);
}

static const struct webhook *find(const struct webhook *list, size_t count, const char *id)
{
	for (size_t i = 0; i < count; i++) {
		if (strcmp(list[i].id, id) == 0)
			return &list[i];
	}
	return NULL;
}

/* Those that are gone or were changed end; a changed one begins anew, where it stood. */
static void drop_changed(struct webhooks *webhooks, const struct webhook *list, size_t count)
{
	size_t kept = 0;

	for (size_t i = 0; i < webhooks->count; i++) {
		struct courier *courier = webhooks->couriers[i];
		const struct webhook *now = find(list, count, courier_id(courier));

		if (now != NULL && now->revision == courier_revision(courier))
			webhooks->couriers[kept++] = courier;
		else
			courier_free(&courier);
	}
	webhooks->count = kept;
}

static bool is_running(const struct webhooks *webhooks, const char *id)
{
	for (size_t i = 0; i < webhooks->count; i++) {
		if (strcmp(courier_id(webhooks->couriers[i]), id) == 0)
			return true;
	}
	return false;
}

static void on_webhooks(struct webhook *list, size_t count, void *context)
{
	struct webhooks *webhooks = context;

	webhooks->asking = false;
	if (!webhooks->freed && list != NULL && lease_is_held(webhooks->lease) &&
	    hub_is_started(webhooks->hub)) {
		drop_changed(webhooks, list, count);
		for (size_t i = 0; i < count && webhooks->count < STORE_WEBHOOKS_MAX; i++) {
			if (!is_running(webhooks, list[i].id))
				webhooks->couriers[webhooks->count++] = courier_new(
					webhooks->loop, webhooks->hub, webhooks->http, &list[i]);
		}
	}
	if (!webhooks->freed && webhooks->again)
		webhooks_reload(webhooks);
	unref(webhooks);
}

void webhooks_reload(struct webhooks *webhooks)
{
	webhooks->again = webhooks->asking;
	if (webhooks->asking || !lease_is_held(webhooks->lease))
		return;
	webhooks->asking = true;
	webhooks->refs++;
	store_webhooks(webhooks->hub->link, on_webhooks, webhooks);
}

void webhooks_wake(struct webhooks *webhooks)
{
	for (size_t i = 0; i < webhooks->count; i++)
		courier_wake(webhooks->couriers[i]);
}

static void on_tick(void *context)
{
	struct webhooks *webhooks = context;

	for (size_t i = 0; i < webhooks->count; i++)
		courier_save(webhooks->couriers[i]);
	webhooks_wake(webhooks);
	webhooks_reload(webhooks);
}

static void on_acquired(int64_t token, void *context)
{
	(void)token;
	webhooks_reload(context);
}

static void on_lost(const char *reason, void *context)
{
	(void)reason;
	stop_all(context);
}

struct webhooks *webhooks_new(uv_loop_t *loop, struct hub *hub, const char *owner)
{
	struct webhooks *webhooks = mem_new(struct webhooks);
	struct lease_hooks hooks = {on_acquired, on_lost, webhooks};

	webhooks->loop = loop;
	webhooks->hub = hub;
	webhooks->refs = 1;
	webhooks->http = http_client_new(loop);
	webhooks->lease = lease_open(loop, hub->link, "webhooks", owner, LEASE_TTL_MS, &hooks);
	webhooks->timer = timer_start(loop, RELOAD_MS, RELOAD_MS, on_tick, webhooks);
	return webhooks;
}

void webhooks_free(struct webhooks **webhooks)
{
	struct webhooks *old = *webhooks;

	*webhooks = NULL;
	if (old == NULL)
		return;
	old->freed = true;
	timer_stop(&old->timer);
	stop_all(old);
	lease_close(&old->lease);
	http_client_free(&old->http);
	unref(old);
}
