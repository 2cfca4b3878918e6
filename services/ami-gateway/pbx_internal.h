/* What pbx.c (whose the server is), pbx_events.c (what the event connection brings) and
   pbx_report.c (what people and metrics are told) share. For these files only. */
#ifndef PBX_INTERNAL_H
#define PBX_INTERNAL_H

#include "ami_link.h"
#include "event_stream.h"
#include "lease.h"
#include "loop.h"
#include "pbx.h"
#include "sender.h"
#include "snapshot.h"

#define POOL_MAX 16

enum pbx_role {
	PBX_STANDBY,
	PBX_OWNER,
	PBX_SUSPENDED, /* was the owner when Redis went away */
	PBX_DRAINING,
};

struct pbx {
	struct pbx_settings set;
	const char *name;
	enum pbx_role role;
	struct lease *lease;
	int64_t token;   /* of the last acquisition */
	char owner[128]; /* who holds the lease, as far as is known */
	struct timer *tick;
	unsigned ticks;
	unsigned questions; /* to the store, unanswered: the pbx must wait for them */
	bool is_closed;
	char labels[40];

	/* ---- as the owner; NULL otherwise ---- */
	struct event_stream *stream;
	struct ami_link *events;
	struct snapshot *snapshot;
	struct sender *sender;
	struct ami_link *pool[POOL_MAX];
	char pool_names[POOL_MAX][16];
	struct timer *start_sender; /* when no connection for actions comes up soon */
	int64_t gap_from_ms;        /* nothing was seen since; 0: not known */
	int64_t drain_until_ms;

	/* ---- for people ---- */
	struct gateway_metrics metrics;
	struct gateway_metrics base; /* of what was closed since the start */
	int64_t last_gap_from_ms, last_gap_to_ms;
	uint64_t last_gap_dropped;
	int64_t torn_logged_ms;
	bool systemname_wrong;
};

/* ---- pbx.c ---- */

/* Before anything is written that only the owner may write. */
void pbx_check_lease(struct pbx *pbx);

/* ---- pbx_events.c ---- */

void pbx_on_events_up(void *pbx);
void pbx_on_events_down(const char *reason, void *pbx);
void pbx_on_message(const struct ami_message *message, void *pbx);
void pbx_on_gap(uint64_t dropped, int64_t from_ms, int64_t to_ms, void *pbx);

/* ---- pbx_report.c ---- */

/* Brings the metrics up to date. */
void pbx_count(struct pbx *pbx);
/* The event connection is closed next: what it counted lives on in base. */
void pbx_keep_link_counts(struct pbx *pbx);
void pbx_report_state(struct pbx *pbx, bool up, const char *event_type, const char *data,
		      const char *detail);
void pbx_report_gap(struct pbx *pbx, int64_t from_ms, int64_t to_ms, uint64_t dropped,
		    const char *reason);

#endif
