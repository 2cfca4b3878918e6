#include "pbx_internal.h"

#include "clock.h"
#include "log.h"
#include "mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TICK_MS         1000
#define ALIVE_TICKS     5 /* signs of life, in ticks */
#define START_SENDER_MS 1000
#define DRAIN_MS        3500
#define MB              ((size_t)1024 * 1024)

/* ---- as the owner ---- */

/* Actions are taken as soon as one can be sent; when no connection comes, too, so that they are
   answered. */
static void start_sender(void *context)
{
	struct pbx *pbx = context;

	timer_stop(&pbx->start_sender);
	if (pbx->role == PBX_OWNER && pbx->sender != NULL)
		sender_run(pbx->sender);
}

static struct ami_link_config link_config(const struct pbx *pbx, const char *name)
{
	const struct pbx_config *config = pbx->set.config;

	return (struct ami_link_config){
		.pbx = pbx->name,
		.name = name,
		.host = config->host,
		.port = config->port,
		.username = config->username,
		.secret = config->secret,
		.plain_login = pbx->set.gateway->plain_login,
		.ping_ms = pbx->set.gateway->ping_ms,
		.timeout_ms = pbx->set.gateway->timeout_ms,
	};
}

static void open_links(struct pbx *pbx)
{
	const struct ami_link_hooks event_hooks = {pbx_on_events_up, pbx_on_events_down,
						   pbx_on_message, pbx};
	const struct ami_link_hooks action_hooks = {.on_up = start_sender, .context = pbx};
	struct ami_link_config config = link_config(pbx, "events");

	config.filter = pbx->set.filter;
	pbx->events = ami_link_open(pbx->set.loop, &config, &event_hooks);
	pbx->snapshot = snapshot_new(pbx->set.loop, pbx->events, pbx->stream, pbx->name);
	for (int64_t i = 0; i < pbx->set.gateway->pool; i++) {
		snprintf(pbx->pool_names[i], sizeof(pbx->pool_names[i]), "actions-%d", (int)i + 1);
		config = link_config(pbx, pbx->pool_names[i]);
		pbx->pool[i] = ami_link_open(pbx->set.loop, &config, &action_hooks);
	}
	pbx->start_sender = timer_start(pbx->set.loop, START_SENDER_MS, 0, start_sender, pbx);
}

static void close_links(struct pbx *pbx)
{
	pbx_keep_link_counts(pbx);
	timer_stop(&pbx->start_sender);
	ami_link_close(&pbx->events);
	snapshot_free(&pbx->snapshot);
	for (size_t i = 0; i < POOL_MAX; i++)
		ami_link_close(&pbx->pool[i]);
}

static void close_stream(struct pbx *pbx)
{
	if (pbx->stream == NULL)
		return;
	pbx->base.ami_entries_total += event_stream_entries(pbx->stream);
	pbx->base.ami_dropped_total += event_stream_dropped(pbx->stream);
	event_stream_close(&pbx->stream);
}

static void on_sender_idle(void *context)
{
	struct pbx *pbx = context;

	if (pbx->role == PBX_DRAINING)
		timer_again(pbx->tick, 0);
}

static void open_stream(struct pbx *pbx)
{
	char key[STORE_KEY_MAX];
	const struct event_stream_settings stream = {
		.redis = pbx->set.redis,
		.key = store_events_key(pbx->name, key),
		.buffer_max = (size_t)pbx->set.gateway->buffer_mb * MB,
		.on_gap = pbx_on_gap,
		.context = pbx,
	};

	pbx->stream = event_stream_open(pbx->set.loop, &stream);
}

static void open_sender(struct pbx *pbx)
{
	const struct sender_settings sender = {
		.loop = pbx->set.loop,
		.redis = pbx->set.redis,
		.store = pbx->set.store,
		.stream = pbx->stream,
		.metrics = &pbx->metrics,
		.pbx = pbx->name,
		.lease = pbx->lease,
		.links = pbx->pool,
		.link_count = (size_t)pbx->set.gateway->pool,
		.on_idle = on_sender_idle,
		.context = pbx,
	};

	pbx->sender = sender_open(&sender);
}

static void release(struct pbx *pbx)
{
	if (!pbx->is_closed || pbx->questions > 0)
		return;
	free(pbx);
}

/* Answers may come after the role has changed. */
static void on_last_seen(int64_t at_ms, void *context)
{
	struct pbx *pbx = context;

	pbx->questions--;
	if (!pbx->is_closed && pbx->role == PBX_OWNER && pbx->events == NULL) {
		pbx->gap_from_ms = at_ms > 0 ? at_ms : 0;
		open_links(pbx);
	}
	release(pbx);
}

static void become_owner(struct pbx *pbx)
{
	pbx->role = PBX_OWNER;
	health_set(pbx->set.health, false, "connecting to Asterisk");
	open_stream(pbx);
	open_sender(pbx);
	pbx->questions++;
	store_last_seen(pbx->set.store, pbx->name, on_last_seen, pbx);
}

static void stand_down(struct pbx *pbx, const char *reason)
{
	log_warn("stands by", log_str("pbx", pbx->name), log_str("reason", reason));
	pbx->role = PBX_STANDBY;
	sender_close(&pbx->sender);
	close_links(pbx);
	close_stream(pbx);
	store_forget_states(pbx->set.store, pbx->name);
	health_set(pbx->set.health, true, "stand-by");
}

/* ---- the lease ---- */

static void suspend(struct pbx *pbx)
{
	pbx->role = PBX_SUSPENDED;
	event_stream_hold(pbx->stream, true);
	sender_pause(pbx->sender);
}

static void resume(struct pbx *pbx)
{
	pbx->role = PBX_OWNER;
	event_stream_hold(pbx->stream, false);
	if (pbx->events == NULL)
		open_links(pbx); /* Redis went before it could say when the PBX was last seen */
	sender_run(pbx->sender);
	sender_retry(pbx->sender);
	log_info("owner again", log_str("pbx", pbx->name), log_int("token", pbx->token),
		 log_int("waiting_bytes", (int64_t)event_stream_backlog(pbx->stream)));
}

static void on_acquired(int64_t token, void *context)
{
	struct pbx *pbx = context;
	bool was_next = token == pbx->token + 1;

	pbx->token = token;
	snprintf(pbx->owner, sizeof(pbx->owner), "%s", pbx->set.instance);
	if (pbx->role == PBX_SUSPENDED && was_next) {
		resume(pbx);
		return;
	}
	if (pbx->role == PBX_SUSPENDED)
		stand_down(pbx, "another gateway was the owner meanwhile");
	become_owner(pbx);
}

static void on_owner(const char *owner, void *context)
{
	struct pbx *pbx = context;

	pbx->questions--;
	if (owner != NULL)
		snprintf(pbx->owner, sizeof(pbx->owner), "%s", owner);
	if (!pbx->is_closed && pbx->role == PBX_SUSPENDED && owner != NULL && owner[0] != '\0' &&
	    strcmp(owner, pbx->set.instance) != 0)
		stand_down(pbx, "another gateway is the owner");
	else if (!pbx->is_closed && pbx->role == PBX_STANDBY && pbx->owner[0] != '\0')
		health_set(pbx->set.health, true, "stand-by");
	release(pbx);
}

static void ask_owner(struct pbx *pbx)
{
	pbx->questions++;
	store_owner(pbx->set.store, pbx->name, on_owner, pbx);
}

static void on_lost(const char *reason, void *context)
{
	struct pbx *pbx = context;

	(void)reason;
	if (pbx->role != PBX_OWNER)
		return;
	suspend(pbx);
	ask_owner(pbx);
}

/* A process that was stopped for a while reads its sockets before its timers: the clock decides. */
void pbx_check_lease(struct pbx *pbx)
{
	if (pbx->role == PBX_OWNER && !lease_is_held(pbx->lease))
		on_lost("its time is over", pbx);
}

void pbx_redis(struct pbx *pbx, bool up)
{
	if (up && pbx->sender != NULL && pbx->role == PBX_OWNER)
		sender_retry(pbx->sender);
}

/* ---- draining ---- */

static void end_drain(struct pbx *pbx)
{
	sender_close(&pbx->sender);
	close_stream(pbx);
	lease_close(&pbx->lease);
	pbx->role = PBX_STANDBY;
	pbx->set.on_drained(pbx->set.context);
}

/* First the actions in hand, then the connections, then what waits for Redis. */
static void drain_on(struct pbx *pbx)
{
	int64_t now = clock_mono_ms();
	bool late = now >= pbx->drain_until_ms;

	if (pbx->events != NULL && (late || sender_in_hand(pbx->sender) == 0 ||
				    now >= pbx->drain_until_ms - DRAIN_MS / 2)) {
		if (ami_link_is_up(pbx->events))
			pbx_on_events_down("the gateway stops", pbx);
		close_links(pbx);
	}
	if (late || (pbx->events == NULL && event_stream_backlog(pbx->stream) == 0))
		end_drain(pbx);
	else
		timer_again(pbx->tick, 20);
}

void pbx_drain(struct pbx *pbx)
{
	if (pbx->role != PBX_OWNER) {
		sender_close(&pbx->sender);
		close_links(pbx);
		close_stream(pbx);
		lease_close(&pbx->lease);
		pbx->role = PBX_STANDBY;
		pbx->set.on_drained(pbx->set.context);
		return;
	}
	pbx->role = PBX_DRAINING;
	pbx->drain_until_ms = clock_mono_ms() + DRAIN_MS;
	sender_pause(pbx->sender);
	drain_on(pbx);
}

/* ---- life ---- */

static void tick_as_owner(struct pbx *pbx)
{
	int64_t snapshot_s = pbx->set.gateway->snapshot_s;

	if (pbx->ticks % ALIVE_TICKS == 0)
		store_alive(pbx->set.store, pbx->name);
	if (snapshot_s > 0 && pbx->ticks % snapshot_s == 0)
		snapshot_start(pbx->snapshot);
}

static void on_tick(void *context)
{
	struct pbx *pbx = context;

	if (pbx->role == PBX_DRAINING) {
		drain_on(pbx);
		return;
	}
	pbx_count(pbx);
	pbx->ticks++;
	if (pbx->role != PBX_OWNER && store_is_up(pbx->set.store))
		ask_owner(pbx);
	else if (pbx->role == PBX_OWNER && pbx->events != NULL && ami_link_is_up(pbx->events))
		tick_as_owner(pbx);
}

struct pbx *pbx_open(const struct pbx_settings *set)
{
	struct pbx *pbx = mem_new(struct pbx);
	const struct lease_hooks hooks = {on_acquired, on_lost, pbx};
	char name[STORE_KEY_MAX];

	pbx->set = *set;
	pbx->name = set->config->name;
	snprintf(pbx->labels, sizeof(pbx->labels), "pbx=\"%s\"", pbx->name);
	metrics_add(set->metrics, gateway_metric_defs, pbx->labels, &pbx->metrics);
	pbx->lease =
		lease_open(set->loop, store_link(set->store), store_lease_name(pbx->name, name),
			   set->instance, set->gateway->lease_ms, &hooks);
	pbx->tick = timer_start(set->loop, TICK_MS, TICK_MS, on_tick, pbx);
	return pbx;
}

void pbx_close(struct pbx **_pbx)
{
	struct pbx *pbx = *_pbx;

	*_pbx = NULL;
	if (pbx == NULL)
		return;
	pbx->is_closed = true;
	timer_stop(&pbx->tick);
	sender_close(&pbx->sender);
	close_links(pbx);
	close_stream(pbx);
	lease_close(&pbx->lease);
	metrics_remove(pbx->set.metrics, &pbx->metrics);
	release(pbx);
}
