#include "model_parts.h"

#include "mem.h"

#include <stdlib.h>
#include <string.h>

#define STALE_STEP_MS 5000

static const struct {
	const char *name;
	model_entry_fn *fn;
} handlers[] = {
	{"AttendedTransfer", on_attended_transfer},
	{"BlindTransfer", on_blind_transfer},
	{"BridgeDestroy", on_bridge_destroy},
	{"BridgeEnter", on_bridge_enter},
	{"BridgeLeave", on_bridge_leave},
	{"ChanSpyStart", on_spy_start},
	{"CoreShowChannel", on_core_show_channel},
	{"DeviceStateChange", on_device_state},
	{"DialBegin", on_dial_begin},
	{"DialEnd", on_dial_end},
	{"DialState", on_dial_state},
	{"Hangup", on_hangup},
	{"HangupRequest", on_hangup_request},
	{"Hold", on_hold},
	{"LocalBridge", on_local_bridge},
	{"MaydayDone", on_mayday_done},
	{"MaydayDown", on_mayday_down},
	{"MaydayGap", on_mayday_gap},
	{"MaydayOriginate", on_mayday_originate},
	{"MaydayOriginateFailed", on_mayday_originate_failed},
	{"MaydaySnapshotBegin", on_snapshot_begin},
	{"MaydaySnapshotEnd", on_snapshot_end},
	{"MaydayUp", on_mayday_up},
	{"MixMonitorMute", on_mix_monitor_mute},
	{"MixMonitorStop", on_mix_monitor_stop},
	{"Newchannel", on_new_channel},
	{"Newstate", on_new_state},
	{"OriginateResponse", on_originate_response},
	{"ParkedCall", on_parked_call},
	{"ParkedCallGiveUp", on_parked_call_gave_up},
	{"ParkedCallTimeOut", on_parked_call_timeout},
	{"QueueCallerAbandon", on_queue_abandon},
	{"QueueCallerJoin", on_queue_join},
	{"QueueCallerLeave", on_queue_leave},
	{"QueueEntry", on_queue_entry},
	{"QueueMember", on_queue_member},
	{"QueueMemberAdded", on_queue_member_added},
	{"QueueMemberPause", on_queue_member_changed},
	{"QueueMemberPenalty", on_queue_member_changed},
	{"QueueMemberRemoved", on_queue_member_removed},
	{"QueueMemberStatus", on_queue_member_changed},
	{"QueueParams", on_queue_params},
	{"Rename", on_rename},
	{"Unhold", on_unhold},
	{"UnParkedCall", on_unparked_call},
	{"UserEvent", on_user_event},
};

/* Names of events by first letter and length: most entries are of no interest. */
static struct {
	uint8_t first, count; /* into handlers, by first letter */
} by_letter[128];

static void index_handlers(void)
{
	for (size_t i = 0; i < sizeof(handlers) / sizeof(handlers[0]); i++) {
		unsigned letter = (unsigned char)handlers[i].name[0];

		if (by_letter[letter].count++ == 0)
			by_letter[letter].first = (uint8_t)i;
	}
}

static model_entry_fn *handler_of(const struct entry_value *name)
{
	unsigned letter = name->len > 0 ? (unsigned char)name->text[0] : 0;

	if (letter >= 128)
		return NULL;
	for (unsigned i = 0; i < by_letter[letter].count; i++) {
		const char *known = handlers[by_letter[letter].first + i].name;

		if (strlen(known) == name->len && memcmp(known, name->text, name->len) == 0)
			return handlers[by_letter[letter].first + i].fn;
	}
	return NULL;
}

uint32_t model_hash(const char *text)
{
	uint32_t hash = 2166136261U;

	for (; *text != '\0'; text++)
		hash = (hash ^ (unsigned char)*text) * 16777619U;
	return hash != 0 ? hash : 1;
}

void model_copy(char *out, size_t size, const char *text)
{
	size_t len = strlen(text);

	if (len >= size)
		len = size - 1;
	/* Not within a UTF-8 sequence. */
	while (len > 0 && len < strlen(text) && ((unsigned char)text[len] & 0xC0) == 0x80)
		len--;
	memcpy(out, text, len);
	out[len] = '\0';
}

void ring_add(char **ring, size_t *next, struct table *ids, const char *text)
{
	char **slot = &ring[*next % GONE_MAX];

	if (table_get(ids, text) != NULL)
		return;
	if (*slot != NULL)
		table_remove(ids, *slot);
	free(*slot);
	*slot = mem_strdup(text);
	table_put(ids, *slot, *slot);
	(*next)++;
}

void lost_add(struct model *model, const char *linkedid)
{
	char *kept;

	if (table_get(&model->lost, linkedid) != NULL)
		return;
	kept = mem_strdup(linkedid);
	table_put(&model->lost, kept, kept);
}

void lost_clear(struct model *model)
{
	size_t cursor = 0;

	for (char *kept; (kept = table_next(&model->lost, &cursor)) != NULL;)
		free(kept);
	table_free(&model->lost);
}

struct model *model_new(const struct model_settings *settings)
{
	struct model *model = mem_new(struct model);

	model->settings = settings;
	model->next_check = INT64_MAX;
	memset(by_letter, 0, sizeof(by_letter));
	index_handlers();
	return model;
}

static void free_channels(struct model *model)
{
	size_t cursor = 0;

	for (struct channel *channel; (channel = table_next(&model->channels, &cursor)) != NULL;) {
		channel_unref(&channel->other);
		channel_unref(&channel->real);
		channel_unref(&channel->dialer);
	}
	cursor = 0;
	for (struct channel *channel; (channel = table_next(&model->channels, &cursor)) != NULL;)
		channel_unref(&channel);
	cursor = 0;
	for (struct bridge *bridge; (bridge = table_next(&model->bridges, &cursor)) != NULL;) {
		free(bridge->id);
		free(bridge);
	}
}

void model_free(struct model **freed)
{
	struct model *model = *freed;
	size_t cursor = 0;

	*freed = NULL;
	if (model == NULL)
		return;
	model_clear_effects(model);
	for (struct call *call; (call = table_next(&model->calls, &cursor)) != NULL;)
		call_free(&call);
	free_channels(model);
	agents_free(model);
	queues_free(model);
	for (size_t i = 0; i < GONE_MAX; i++) {
		free(model->gone[i]);
		free(model->ended[i]);
	}
	table_free(&model->gone_ids);
	table_free(&model->ended_ids);
	table_free(&model->merged);
	lost_clear(model);
	table_free(&model->channels);
	table_free(&model->names);
	table_free(&model->bridges);
	table_free(&model->calls);
	table_free(&model->actions);
	free(model->effects.calls);
	free(model->effects.events);
	free(model->effects.agents);
	free(model->effects.queues);
	free(model->effects.orders);
	buffer_free(&model->effects.text);
	free(model);
}

void model_check_by(struct model *model, int64_t at)
{
	if (at < model->next_check)
		model->next_check = at;
}

/* Settling one call may touch another: they are taken in turn until none is left. */
static void settle(struct model *model)
{
	for (size_t i = 0; i < model->touched_count; i++) {
		model->touched[i]->touched = false;
		call_settle(model, model->touched[i]);
	}
	model->touched_count = 0;
	notes_flush(model);
	agents_flush(model);
	queues_flush(model);
}

/* Looks at what a call waits for; the earliest of what is left becomes model->next_check. */
static void check_call(struct model *model, struct call *call)
{
	if (call->deadline_at != 0 && model->now >= call->deadline_at) {
		/* While nobody sees, it may be there: the next list tells. */
		call->deadline_at = model_is_stale(model) ? model->now + STALE_STEP_MS : 0;
		if (call->deadline_at == 0 && call->channel_count == 0) {
			call_end(model, call, RESULT_FAILED, "failed");
			return;
		}
	}
	if (call->check_at != 0 && model->now >= call->check_at) {
		call->check_at = 0;
		call_settle(model, call);
		settle(model);
		if (call->state == CALL_ENDED)
			return;
	}
	if (call->deadline_at != 0)
		model_check_by(model, call->deadline_at);
	if (call->check_at != 0)
		model_check_by(model, call->check_at);
}

static void pass_time(struct model *model, int64_t now)
{
	/* Events of one moment come out of order, and clocks are set: time never goes back. */
	if (now > model->now)
		model->now = now;
	if (model->now < model->next_check)
		return;
	model->next_check = INT64_MAX;
	model_each_call(model, check_call);
	pbx_tick(model);
	agents_tick(model);
	if (model->down_at != 0 && model_live_calls(model) > 0)
		model_check_by(model, model->down_at + model->settings->pbx_down_ms);
	settle(model);
}

void model_apply(struct model *model, const char *data, size_t len)
{
	struct entry *entry = &model->entry;
	model_entry_fn *fn;

	model->counters.entries++;
	if (entry_begin(entry, data, len) < 0) {
		model->counters.malformed++;
		return;
	}
	fn = handler_of(&entry->event);
	if (entry->t > model->as_of)
		model->as_of = entry->t;
	if (fn == NULL) {
		model->counters.ignored++;
		return;
	}
	if (entry_finish(entry) < 0) {
		model->counters.malformed++;
		return;
	}
	pass_time(model, entry->t);
	fn(model);
	settle(model);
}

/* Entries that are older than now may still be on their way: they keep their own times. */
void model_tick(struct model *model, int64_t now)
{
	int64_t entries_now = model->now;

	if (now < model->next_check)
		return;
	pass_time(model, now);
	model->now = entries_now;
}

int64_t model_since(const struct model *model, int64_t at)
{
	return model->now > at ? model->now - at : 0;
}

const struct model_effects *model_effects(struct model *model)
{
	return &model->effects;
}

void model_clear_effects(struct model *model)
{
	struct model_effects *effects = &model->effects;

	for (size_t i = 0; i < effects->agent_count; i++)
		effects->agents[i]->changed = false;
	for (size_t i = 0; i < effects->queue_count; i++) {
		struct queue *queue = effects->queues[i];

		queue->changed = false;
		if (!queue->gone)
			continue;
		table_remove(&model->queues, queue->name);
		queue_free(queue);
	}
	for (size_t i = 0; i < effects->call_count; i++) {
		struct call *call = effects->calls[i];

		call->changed = false;
		call->saved = true;
		call->extensions_saved = call->extension_count;
		for (size_t j = 0; j < call->recording_count; j++)
			call->recordings[j].end_saved = call->recordings[j].ended_at != 0;
		if (call->state == CALL_ENDED)
			call_free(&call);
	}
	for (size_t i = 0; i < effects->order_count; i++) {
		free(effects->orders[i].channel);
		free(effects->orders[i].uniqueid);
		free(effects->orders[i].call_id);
		free(effects->orders[i].recording_id);
		free(effects->orders[i].queue);
		free(effects->orders[i].reason);
	}
	effects->order_count = 0;
	effects->call_count = 0;
	effects->event_count = 0;
	effects->agent_count = 0;
	effects->queue_count = 0;
	buffer_clear(&effects->text);
}

const struct model_counters *model_counters(const struct model *model)
{
	return &model->counters;
}

void model_reset_counters(struct model *model)
{
	model->counters = (struct model_counters){0};
}

size_t model_live_calls(const struct model *model)
{
	return model->calls.used;
}

size_t model_live_channels(const struct model *model)
{
	return model->channel_count;
}

int64_t model_as_of(const struct model *model)
{
	return model->as_of;
}

bool model_is_stale(const struct model *model)
{
	return model->down_at != 0 || model->unsure || model->snapshot != 0;
}
