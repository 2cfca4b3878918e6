#include "presence.h"

#include "clock.h"
#include "log.h"
#include "loop.h"
#include "mem.h"
#include "store_agent.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SWEEP_MS 2000
/* ws-fanout says every 20 s who has a socket. */
#define SILENT_MS 60000
/* Parts of the list of sessions that are looked at in one sweep: a long list takes several. */
#define PARTS 10

struct presence {
	struct store *store;
	struct agents *agents;
	struct timer *timer;
	char cursor[80]; /* in the list of sessions */
	int parts;       /* left of this sweep */
	bool closed;
	size_t under_way;
};

static void release(struct presence *presence)
{
	if (presence->closed && presence->under_way == 0)
		free(presence);
}

/* ---- availability into MariaDB ---- */

static void on_availability(bool ok, const struct store_agent *list, size_t count, void *context)
{
	struct presence *presence = context;

	presence->under_way--;
	if (ok && count == 1 && list[0].known && !presence->closed)
		agents_set_presence(presence->agents, list[0].extension, list[0].availability);
	release(presence);
}

static void on_agent_moved(const char *extension, void *context)
{
	struct presence *presence = context;

	presence->under_way++;
	store_get_agents(presence->store, &extension, 1, on_availability, presence);
}

/* ---- sessions that ran out ---- */

static void sweep_part(struct presence *presence);

static void on_swept(bool ok, const char *const *names, size_t count, void *context)
{
	struct presence *presence = context;

	presence->under_way--;
	if (!ok || count == 0 || presence->closed) {
		release(presence);
		return;
	}
	for (size_t i = 0; i + 1 < count; i++)
		store_agent_gone(presence->store, names[i], NULL, NULL);
	snprintf(presence->cursor, sizeof(presence->cursor), "%s", names[count - 1]);
	if (presence->cursor[0] != '\0' && --presence->parts > 0)
		sweep_part(presence);
}

static void sweep_part(struct presence *presence)
{
	presence->under_way++;
	store_sweep_sessions(presence->store, presence->cursor, on_swept, presence);
}

/* ---- sockets ---- */

static void on_silent(bool ok, const char *const *names, size_t count, void *context)
{
	struct presence *presence = context;

	presence->under_way--;
	for (size_t i = 0; ok && !presence->closed && i < count; i++)
		store_agent_lost(presence->store, names[i], clock_wall_ms() - SILENT_MS, NULL,
				 NULL);
	release(presence);
}

static void on_former(bool ok, const struct store_agent *list, size_t count, void *context)
{
	struct presence *presence = context;
	enum availability former;

	presence->under_way--;
	for (size_t i = 0; ok && !presence->closed && i < count; i++)
		if (availability_parse(list[i].former, &former))
			store_agent_back(presence->store, list[i].extension, former, NULL, NULL);
	release(presence);
}

static void on_returned(bool ok, const char *const *names, size_t count, void *context)
{
	struct presence *presence = context;

	presence->under_way--;
	if (ok && !presence->closed && count > 0) {
		presence->under_way++;
		store_get_agents(presence->store, names, count, on_former, presence);
	}
	release(presence);
}

static void sweep(void *context)
{
	struct presence *presence = context;
	int64_t since_ms = clock_wall_ms() - SILENT_MS;

	if (presence->under_way > 0)
		return; /* the one before is not through */
	presence->parts = PARTS;
	presence->under_way += 3;
	store_sweep_sessions(presence->store, presence->cursor, on_swept, presence);
	store_silent_agents(presence->store, since_ms, on_silent, presence);
	store_returned_agents(presence->store, since_ms, on_returned, presence);
}

struct presence *presence_open(uv_loop_t *loop, struct store *store, struct agents *agents)
{
	struct presence *presence = mem_new(struct presence);

	presence->store = store;
	presence->agents = agents;
	presence->timer = timer_start(loop, SWEEP_MS, SWEEP_MS, sweep, presence);
	store_on_agent(store, on_agent_moved, presence);
	return presence;
}

void presence_close(struct presence **_presence)
{
	struct presence *presence = *_presence;

	*_presence = NULL;
	if (presence == NULL)
		return;
	store_on_agent(presence->store, NULL, NULL);
	timer_stop(&presence->timer);
	presence->closed = true;
	release(presence);
}
