#include "pbx_internal.h"

/* ---- metrics ---- */

void pbx_count(struct pbx *pbx)
{
	struct gateway_metrics *metrics = &pbx->metrics;
	const struct gateway_metrics *base = &pbx->base;
	struct ami_link_status status = {.ping_us = -1};

	if (pbx->events != NULL)
		ami_link_status(pbx->events, &status);
	metrics->ami_bytes_total = base->ami_bytes_total + status.parsed.bytes;
	metrics->ami_events_total = base->ami_events_total + status.parsed.events;
	metrics->ami_torn_total = base->ami_torn_total + status.parsed.torn;
	metrics->ami_odd_lines_total = base->ami_odd_lines_total + status.parsed.odd_lines;
	metrics->ami_oversize_total = base->ami_oversize_total + status.parsed.oversize;
	metrics->ami_reconnects_total = base->ami_reconnects_total + status.reconnects;
	metrics->ami_excluded_total = base->ami_excluded_total;
	metrics->ami_forged_total = base->ami_forged_total;
	metrics->ami_unasked_total = base->ami_unasked_total;
	metrics->ami_gaps_total = base->ami_gaps_total;
	metrics->ami_snapshots_total = base->ami_snapshots_total;
	metrics->ami_entries_total = base->ami_entries_total;
	metrics->ami_dropped_total = base->ami_dropped_total;
	metrics->ami_backlog_bytes = 0;
	if (pbx->snapshot != NULL)
		metrics->ami_snapshots_total += snapshot_count(pbx->snapshot);
	if (pbx->stream != NULL) {
		metrics->ami_entries_total += event_stream_entries(pbx->stream);
		metrics->ami_dropped_total += event_stream_dropped(pbx->stream);
		metrics->ami_backlog_bytes = (int64_t)event_stream_backlog(pbx->stream);
	}
	metrics->ami_up = pbx->events != NULL && ami_link_is_up(pbx->events);
	metrics->ami_owner = pbx->role == PBX_OWNER;
	metrics->ami_systemname_wrong = pbx->systemname_wrong;
	metrics->ami_ping_microseconds = status.ping_us;
}

void pbx_keep_link_counts(struct pbx *pbx)
{
	struct gateway_metrics *base = &pbx->base;
	struct ami_link_status status;

	if (pbx->events == NULL)
		return;
	ami_link_status(pbx->events, &status);
	base->ami_bytes_total += status.parsed.bytes;
	base->ami_events_total += status.parsed.events;
	base->ami_torn_total += status.parsed.torn;
	base->ami_odd_lines_total += status.parsed.odd_lines;
	base->ami_oversize_total += status.parsed.oversize;
	base->ami_reconnects_total += status.reconnects;
	base->ami_snapshots_total += snapshot_count(pbx->snapshot);
}

/* ---- the state in Redis ---- */

void pbx_report_state(struct pbx *pbx, bool up, const char *event_type, const char *data,
		      const char *detail)
{
	const struct pbx_state state = {
		.pbx = pbx->name,
		.host = pbx->set.config->host,
		.version = ami_link_version(pbx->events),
		.owner = pbx->set.instance,
		.detail = detail,
		.up = up,
		.event_type = event_type,
		.data = data,
	};

	store_pbx_state(pbx->set.store, &state);
}

void pbx_report_gap(struct pbx *pbx, int64_t from_ms, int64_t to_ms, uint64_t dropped,
		    const char *reason)
{
	struct buffer data = {0};
	struct json_writer json = json_writer_init(&data);

	pbx->last_gap_from_ms = from_ms;
	pbx->last_gap_to_ms = to_ms;
	pbx->last_gap_dropped = dropped;
	if (pbx->events == NULL)
		return;
	json_begin_object(&json);
	json_field_int(&json, "from", from_ms);
	json_field_int(&json, "to", to_ms);
	json_field_int(&json, "dropped", (int64_t)dropped);
	json_field_str(&json, "reason", reason);
	json_end_object(&json);
	pbx_report_state(pbx, ami_link_is_up(pbx->events), "ami:gap", buffer_str(&data), reason);
	buffer_free(&data);
}

/* ---- for people ---- */

static void write_link(const struct ami_link *link, const char *name, struct json_writer *json)
{
	struct ami_link_status status;

	if (link == NULL)
		return;
	ami_link_status(link, &status);
	json_begin_object(json);
	json_field_str(json, "name", name);
	json_field_str(json, "state", ami_link_state_name(status.state));
	json_field_int(json, "sinceAt", status.since_ms);
	json_field_int(json, "reconnects", (int64_t)status.reconnects);
	json_field_int(json, "pending", (int64_t)status.pending);
	json_field_int(json, "bytes", (int64_t)status.parsed.bytes);
	json_field_int(json, "events", (int64_t)status.parsed.events);
	json_field_int(json, "responses", (int64_t)status.parsed.responses);
	if (status.last_bytes_ms > 0)
		json_field_int(json, "lastBytesAt", status.last_bytes_ms);
	if (status.ping_us >= 0)
		json_field_int(json, "pingUs", status.ping_us);
	if (status.last_error[0] != '\0')
		json_field_str(json, "error", status.last_error);
	json_end_object(json);
}

static void write_lease(const struct pbx *pbx, struct json_writer *json)
{
	bool held = pbx->lease != NULL && lease_is_held(pbx->lease);

	json_key(json, "lease");
	json_begin_object(json);
	json_field_bool(json, "held", held);
	json_field_str(json, "owner", pbx->owner);
	if (held) {
		json_field_int(json, "sinceAt", lease_since_ms(pbx->lease));
		json_field_int(json, "token", lease_token(pbx->lease));
	}
	json_end_object(json);
}

static void write_counters(const struct gateway_metrics *metrics, struct json_writer *json)
{
	json_key(json, "counters");
	json_begin_object(json);
	json_field_int(json, "bytes", (int64_t)metrics->ami_bytes_total);
	json_field_int(json, "events", (int64_t)metrics->ami_events_total);
	json_field_int(json, "entries", (int64_t)metrics->ami_entries_total);
	json_field_int(json, "excluded", (int64_t)metrics->ami_excluded_total);
	json_field_int(json, "torn", (int64_t)metrics->ami_torn_total);
	json_field_int(json, "forged", (int64_t)metrics->ami_forged_total);
	json_field_int(json, "oversize", (int64_t)metrics->ami_oversize_total);
	json_field_int(json, "dropped", (int64_t)metrics->ami_dropped_total);
	json_field_int(json, "gaps", (int64_t)metrics->ami_gaps_total);
	json_field_int(json, "snapshots", (int64_t)metrics->ami_snapshots_total);
	json_field_int(json, "reconnects", (int64_t)metrics->ami_reconnects_total);
	json_end_object(json);
}

static void write_connections(const struct pbx *pbx, struct json_writer *json)
{
	json_key(json, "connections");
	json_begin_array(json);
	write_link(pbx->events, "events", json);
	for (size_t i = 0; i < POOL_MAX; i++)
		write_link(pbx->pool[i], pbx->pool_names[i], json);
	json_end_array(json);
}

static void write_gap(const struct pbx *pbx, struct json_writer *json)
{
	if (pbx->last_gap_to_ms == 0)
		return;
	json_key(json, "lastGap");
	json_begin_object(json);
	json_field_int(json, "from", pbx->last_gap_from_ms);
	json_field_int(json, "to", pbx->last_gap_to_ms);
	json_field_int(json, "dropped", (int64_t)pbx->last_gap_dropped);
	json_end_object(json);
}

void pbx_write(const struct pbx *pbx, struct json_writer *json)
{
	static const char *const roles[] = {"standby", "owner", "suspended", "draining"};

	json_begin_object(json);
	json_field_str(json, "pbx", pbx->name);
	json_field_str(json, "host", pbx->set.config->host);
	json_field_str(json, "port", pbx->set.config->port);
	json_field_str(json, "role", roles[pbx->role]);
	write_lease(pbx, json);
	if (pbx->events != NULL) {
		json_field_str(json, "version", ami_link_version(pbx->events));
		json_field_str(json, "systemName", ami_link_systemname(pbx->events));
	}
	json_field_bool(json, "systemNameWrong", pbx->systemname_wrong);
	write_connections(pbx, json);
	write_counters(&pbx->metrics, json);
	json_field_int(json, "backlogBytes", pbx->metrics.ami_backlog_bytes);
	json_field_int(json, "backlogMaxBytes", pbx->set.gateway->buffer_mb * 1024 * 1024);
	json_field_int(json, "actionsInHand", pbx->metrics.ami_actions_in_hand);
	write_gap(pbx, json);
	json_end_object(json);
}
