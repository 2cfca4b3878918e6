/* One Asterisk server as this gateway sees it: the lease that says whose it is, and, as its owner,
   the connections, the event stream, snapshots and actions.

   An owner that cannot renew its lease because Redis is away is suspended: it goes on reading, and
   what it reads waits, held back. As long as Redis is away nobody else can become the owner. When
   it is back and this gateway gets the lease again with the very next token, nobody was the owner
   in between: what waited is written, and nothing was lost. Otherwise another gateway wrote to the
   stream meanwhile; then what waited is dropped, for that one has taken a snapshot since. */
#ifndef PBX_H
#define PBX_H

#include "event_filter.h"
#include "gateway_metrics.h"
#include "health.h"
#include "json.h"
#include "settings.h"
#include "store.h"

#include <uv.h>

struct pbx;

/* All borrowed, and must outlive the pbx. */
struct pbx_settings {
	uv_loop_t *loop;
	const struct gateway_settings *gateway;
	const struct redis_settings *redis;
	const struct pbx_config *config;
	const struct event_filter *filter;
	const char *instance;
	struct store *store;
	struct health_item *health;
	struct metrics *metrics;
	bool must_be_named; /* its systemname must be its name: there are several */
	void (*on_drained)(void *context);
	void *context;
};

struct pbx *pbx_open(const struct pbx_settings *set);
/* The connection to Redis came or went. */
void pbx_redis(struct pbx *pbx, bool up);
/* Finishes what is in hand, writes what waits, gives the lease back; then on_drained. */
void pbx_drain(struct pbx *pbx);
void pbx_close(struct pbx **pbx);
/* Everything about it as one JSON object, for people. */
void pbx_write(const struct pbx *pbx, struct json_writer *writer);

#endif
