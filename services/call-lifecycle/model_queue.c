/* Queues: who waits in them, and what came of those who did today. */
#include "model_parts.h"

#include "mem.h"

#include <stdlib.h>
#include <string.h>

#define QUEUES_MAX  2000
#define CALLERS_MAX 10000 /* of one queue */

struct queue *queue_get(struct model *model, const char *name)
{
	struct queue *queue = table_get(&model->queues, name);

	if (queue != NULL)
		return queue;
	if (name[0] == '\0' || strlen(name) >= sizeof(queue->name) ||
	    model->queues.used >= QUEUES_MAX) {
		model->counters.overflow++;
		return NULL;
	}
	queue = mem_new(struct queue);
	strcpy(queue->name, name);
	table_put(&model->queues, queue->name, queue);
	return queue;
}

static void free_caller(struct queue_caller *caller)
{
	free(caller->uniqueid);
	free(caller->call_id);
}

void queue_free(struct queue *queue)
{
	for (size_t i = 0; i < queue->caller_count; i++)
		free_caller(&queue->callers[i]);
	free(queue->callers);
	free(queue->members);
	free(queue->call_id);
	free(queue);
}

void queues_free(struct model *model)
{
	size_t cursor = 0;

	for (struct queue *queue; (queue = table_next(&model->queues, &cursor)) != NULL;)
		queue_free(queue);
	table_free(&model->queues);
}

bool model_queue_is_gone(const struct queue *queue)
{
	return queue->gone;
}

void queue_changed(struct model *model, struct queue *queue, const char *change)
{
	struct model_effects *effects = &model->effects;

	if (!queue->changed) {
		queue->changed = true;
		if (effects->queue_count == model->queue_cap) {
			model->queue_cap = model->queue_cap * 2 + 16;
			effects->queues = mem_grow(effects->queues,
						   model->queue_cap * sizeof(*effects->queues));
		}
		queue->number = effects->queue_count;
		effects->queues[effects->queue_count++] = queue;
	}
	queue->change = change;
	model->queues_to_tell = true;
	queue->tell = true;
}

/* ---- the day ---- */

static struct queue_day *today(struct model *model, struct queue *queue)
{
	int64_t day_at = model_day(model, model->now);

	if (queue->today.at != day_at)
		queue->today = (struct queue_day){.at = day_at};
	return &queue->today;
}

static void count(struct model *model, struct queue_day *day, const char *result, int64_t wait_ms)
{
	if (wait_ms > day->wait_max_ms)
		day->wait_max_ms = wait_ms;
	if (strcmp(result, "answered") == 0) {
		day->answered++;
		day->wait_ms += wait_ms;
		if (wait_ms <= model->settings->service_level_ms)
			day->answered_in_level++;
	} else if (strcmp(result, "abandoned") == 0) {
		day->abandoned++;
		if (wait_ms < model->settings->short_abandon_ms)
			day->abandoned_short++;
	} else {
		day->timed_out++;
	}
}

/* ---- callers ---- */

static struct queue_caller *caller_find(struct queue *queue, const char *uniqueid)
{
	for (size_t i = 0; i < queue->caller_count; i++)
		if (strcmp(queue->callers[i].uniqueid, uniqueid) == 0)
			return &queue->callers[i];
	return NULL;
}

static void number_callers(struct queue *queue)
{
	for (size_t i = 0; i < queue->caller_count; i++)
		queue->callers[i].position = (int64_t)i + 1;
}

/* At its position: a caller of higher priority comes before others. */
struct queue_caller *queue_caller_add(struct queue *queue, const char *uniqueid,
				      const char *call_id, int64_t position)
{
	struct queue_caller *caller;
	size_t at = queue->caller_count;

	if (queue->caller_count >= CALLERS_MAX)
		return NULL;
	if (position >= 1 && (size_t)position <= at)
		at = (size_t)position - 1;
	queue->callers = mem_grow(queue->callers, (queue->caller_count + 1) * sizeof(*caller));
	caller = &queue->callers[at];
	memmove(caller + 1, caller, (queue->caller_count - at) * sizeof(*caller));
	queue->caller_count++;
	*caller = (struct queue_caller){.uniqueid = mem_strdup(uniqueid),
					.call_id = mem_strdup(call_id)};
	number_callers(queue);
	return caller;
}

static void remove_caller(struct queue *queue, struct queue_caller *caller)
{
	size_t at = (size_t)(caller - queue->callers);

	free_caller(caller);
	memmove(caller, caller + 1, (queue->caller_count - at - 1) * sizeof(*caller));
	queue->caller_count--;
	number_callers(queue);
}

static void set_about_call(struct queue *queue, const char *call_id)
{
	free(queue->call_id);
	queue->call_id = mem_strdup(call_id);
	queue->about[0] = '\0';
}

void queue_caller_joined(struct model *model, const struct channel *channel, const char *name,
			 int64_t position)
{
	struct queue *queue = queue_get(model, name);
	struct queue_caller *caller;

	if (queue == NULL || caller_find(queue, channel->uniqueid) != NULL)
		return;
	caller = queue_caller_add(queue, channel->uniqueid, channel->call->id, position);
	if (caller == NULL)
		return;
	caller->joined_at = model->now;
	model_copy(caller->number, sizeof(caller->number), channel->party);
	today(model, queue)->offered++;
	set_about_call(queue, channel->call->id);
	queue_changed(model, queue, "caller_joined");
}

void queue_caller_left(struct model *model, const struct channel *channel, const char *result)
{
	struct queue *queue = table_get(&model->queues, channel->call->queue);
	struct queue_caller *caller = queue != NULL ? caller_find(queue, channel->uniqueid) : NULL;

	if (caller == NULL)
		return;
	count(model, today(model, queue), result, model_since(model, caller->joined_at));
	set_about_call(queue, channel->call->id);
	remove_caller(queue, caller);
	queue_changed(model, queue,
		      strcmp(result, "answered") == 0 ? "caller_answered" : "caller_left");
}

/* In the list of everything. One that is not known came while nobody saw. */
void on_queue_entry(struct model *model)
{
	const char *name = entry_text(&model->entry, ENTRY_QUEUE);
	const char *uniqueid = entry_text(&model->entry, ENTRY_UNIQUEID);
	struct channel *channel = uniqueid != NULL ? table_get(&model->channels, uniqueid) : NULL;
	struct queue_caller *caller;
	struct queue *queue;

	if (model->snapshot == 0 || name == NULL || channel == NULL)
		return;
	queue = queue_get(model, name);
	if (queue == NULL)
		return;
	caller = caller_find(queue, uniqueid);
	if (caller == NULL) {
		queue_caller_joined(model, channel, name,
				    entry_int(&model->entry, ENTRY_POSITION, 0));
		caller = caller_find(queue, uniqueid);
		if (caller == NULL)
			return;
		caller->joined_at -= entry_int(&model->entry, ENTRY_WAIT, 0) * 1000;
	}
	caller->snapshot = model->snapshot;
}

static void drop_unseen_callers(struct model *model, struct queue *queue)
{
	for (size_t i = queue->caller_count; i-- > 0;) {
		if (queue->callers[i].snapshot == model->snapshot)
			continue;
		count(model, today(model, queue), "reconciled",
		      model_since(model, queue->callers[i].joined_at));
		set_about_call(queue, queue->callers[i].call_id);
		remove_caller(queue, &queue->callers[i]);
		queue_changed(model, queue, "caller_left");
	}
}

/* What the list did not name is gone. */
void queues_snapshot_end(struct model *model)
{
	size_t cursor = 0;

	for (struct queue *queue; (queue = table_next(&model->queues, &cursor)) != NULL;) {
		drop_unseen_callers(model, queue);
		queue_members_snapshot_end(model, queue);
		if (queue->snapshot == model->snapshot)
			continue;
		queue->gone = true;
		queue_changed(model, queue, "list");
	}
}

void on_queue_params(struct model *model)
{
	const char *name = entry_text(&model->entry, ENTRY_QUEUE);
	struct queue *queue;

	if (model->snapshot == 0 || name == NULL)
		return;
	model->queues_listed = true;
	queue = queue_get(model, name);
	if (queue == NULL)
		return;
	if (queue->snapshot == 0)
		queue_changed(model, queue, "list");
	queue->snapshot = model->snapshot;
	queue->gone = false;
}
