#include "pbx_internal.h"

#include "clock.h"
#include "log.h"

#include <stdio.h>
#include <string.h>

#define TORN_LOG_MS 60000

/* ---- up and down ---- */

/* With several servers call ids are told apart by the systemname in asterisk.conf, so each must
   have its own. */
static void check_systemname(struct pbx *pbx)
{
	const char *systemname = ami_link_systemname(pbx->events);

	pbx->systemname_wrong = pbx->set.must_be_named && strcmp(systemname, pbx->name) != 0;
	if (pbx->systemname_wrong)
		log_warn("systemname in asterisk.conf is not the name of the PBX: ids of calls may "
			 "clash with those of another one",
			 log_str("pbx", pbx->name), log_str("systemname", systemname));
	health_set(pbx->set.health, true,
		   pbx->systemname_wrong ? "systemname is not the name of the PBX" : NULL);
}

static void report_up(struct pbx *pbx, int64_t gap_to_ms)
{
	struct buffer data = {0};
	struct json_writer json = json_writer_init(&data);

	json_begin_object(&json);
	json_field_str(&json, "host", pbx->set.config->host);
	json_field_str(&json, "version", ami_link_version(pbx->events));
	if (pbx->gap_from_ms > 0) {
		json_field_int(&json, "gapFrom", pbx->gap_from_ms);
		json_field_int(&json, "gapTo", gap_to_ms);
	}
	json_end_object(&json);
	pbx_report_state(pbx, true, "ami:connected", buffer_str(&data),
			 pbx->systemname_wrong ? "systemname is not the name of the PBX" : "");
	buffer_free(&data);
}

void pbx_on_events_up(void *context)
{
	struct pbx *pbx = context;
	int64_t now = clock_wall_ms();

	event_stream_up(pbx->stream, ami_link_version(pbx->events), pbx->gap_from_ms, now);
	if (pbx->gap_from_ms > 0) {
		pbx->base.ami_gaps_total++;
		pbx->last_gap_from_ms = pbx->gap_from_ms;
		pbx->last_gap_to_ms = now;
		pbx->last_gap_dropped = 0;
	}
	check_systemname(pbx);
	report_up(pbx, now);
	pbx->gap_from_ms = 0;
	snapshot_start(pbx->snapshot);
}

void pbx_on_events_down(const char *reason, void *context)
{
	struct pbx *pbx = context;
	struct ami_link_status status;
	struct buffer data = {0};
	struct json_writer json = json_writer_init(&data);

	ami_link_status(pbx->events, &status);
	pbx->gap_from_ms = status.last_bytes_ms;
	snapshot_abort(pbx->snapshot);
	event_stream_down(pbx->stream, reason);
	json_begin_object(&json);
	json_field_str(&json, "host", pbx->set.config->host);
	json_field_str(&json, "reason", reason);
	json_end_object(&json);
	pbx_report_state(pbx, false, "ami:disconnected", buffer_str(&data), reason);
	buffer_free(&data);
	health_set(pbx->set.health, false, reason);
}

/* Redis was away for too long, or came back without what it had taken: the readers must not believe
   what they have. */
void pbx_on_gap(uint64_t dropped, int64_t from_ms, int64_t to_ms, void *context)
{
	struct pbx *pbx = context;

	pbx->base.ami_gaps_total++;
	pbx_report_gap(pbx, from_ms, to_ms, dropped,
		       dropped > 0 ? "Redis was away for too long"
				   : "Redis has lost entries that it had taken");
	if (pbx->events != NULL && ami_link_is_up(pbx->events))
		snapshot_start(pbx->snapshot);
}

/* ---- messages ---- */

static void warn_of_forgery(struct pbx *pbx, const char *what)
{
	int64_t now = clock_mono_ms();

	if (pbx->torn_logged_ms != 0 && now - pbx->torn_logged_ms < TORN_LOG_MS)
		return;
	pbx->torn_logged_ms = now;
	log_warn("the AMI stream holds what Asterisk would not write: a caller may be forging "
		 "events",
		 log_str("pbx", pbx->name), log_str("what", what));
}

static void refuse(struct pbx *pbx, const char *what)
{
	pbx->base.ami_forged_total++;
	warn_of_forgery(pbx, what);
}

static bool begins_with_ours(const struct ami_header *name)
{
	return name->value_len >= 6 && memcmp(name->value, "Mayday", 6) == 0;
}

/* Headers that Asterisk writes once into each event. */
static bool repeats_identity(const struct ami_message *event)
{
	static const char *const once[] = {"Event", "Privilege", "Uniqueid", "Linkedid",
					   "Timestamp"};

	for (size_t i = 0; i < sizeof(once) / sizeof(once[0]); i++)
		if (ami_first(event, once[i]) != ami_last(event, once[i]))
			return true;
	return false;
}

static void take_event(struct pbx *pbx, const struct ami_message *event)
{
	const struct ami_header *name = &event->headers[0];

	if (event_filter_has(pbx->set.filter, name->value, name->value_len)) {
		pbx->base.ami_excluded_total++;
		return;
	}
	if (begins_with_ours(name)) {
		refuse(pbx, "an event with a name of the gateway's own");
		return;
	}
	if (snapshot_is_item(name->value, name->value_len)) {
		refuse(pbx, "an item of a list that was not asked for");
		return;
	}
	if (event_stream_event(pbx->stream, event, clock_wall_ms()) && repeats_identity(event))
		refuse(pbx, "an event with two identities");
	if (ami_header_is(name, "FullyBooted"))
		snapshot_start(pbx->snapshot);
}

void pbx_on_message(const struct ami_message *message, void *context)
{
	struct pbx *pbx = context;

	pbx_check_lease(pbx);
	switch (message->kind) {
	case AMI_EVENT:
		take_event(pbx, message);
		break;
	case AMI_RESPONSE:
		pbx->base.ami_unasked_total++;
		break;
	case AMI_TORN:
		warn_of_forgery(pbx, "a torn message");
		break;
	}
}
