/* Members of queues: who is logged in, paused, available; and what Asterisk is told of wrap-ups. */
#include "model_parts.h"

#include "mem.h"

#include <stdlib.h>
#include <string.h>

#define MEMBERS_MAX 2000 /* of one queue */

static struct queue_member *member_find(struct queue *queue, const char *interface)
{
	for (size_t i = 0; i < queue->member_count; i++)
		if (strcmp(queue->members[i].interface, interface) == 0)
			return &queue->members[i];
	return NULL;
}

struct queue_member *queue_member_add(struct queue *queue, const char *interface)
{
	struct queue_member *member;

	if (queue->member_count >= MEMBERS_MAX || strlen(interface) >= sizeof(member->interface))
		return NULL;
	queue->members =
		mem_grow(queue->members, (queue->member_count + 1) * sizeof(*queue->members));
	member = &queue->members[queue->member_count++];
	*member = (struct queue_member){0};
	strcpy(member->interface, interface);
	return member;
}

static void remove_member(struct queue *queue, struct queue_member *member)
{
	size_t at = (size_t)(member - queue->members);

	memmove(member, member + 1, (queue->member_count - at - 1) * sizeof(*member));
	queue->member_count--;
}

bool member_is_logged_in(const struct queue_member *member)
{
	return !member->paused || strcmp(member->reason, LOGGED_OUT_REASON) != 0;
}

/* The member's own phone, and those who look at it, hear of it. */
static void member_changed(struct model *model, struct queue *queue,
			   const struct queue_member *member, const char *change)
{
	struct agent *agent = table_get(&model->agents, member->extension);

	free(queue->call_id);
	queue->call_id = NULL;
	model_copy(queue->about, sizeof(queue->about), member->extension);
	queue_changed(model, queue, change);
	if (agent != NULL)
		agent_changed(model, agent);
}

static const char *text_or(struct entry *entry, enum entry_field field, const char *other)
{
	const char *text = entry_text(entry, field);

	return text != NULL ? text : other;
}

static void read_names(struct entry *entry, struct queue_member *member)
{
	const char *extension =
		device_extension(text_or(entry, ENTRY_STATE_INTERFACE, member->interface));

	model_copy(member->extension, sizeof(member->extension),
		   extension != NULL ? extension : "");
	model_copy(member->name, sizeof(member->name),
		   text_or(entry, ENTRY_MEMBER_NAME, text_or(entry, ENTRY_NAME, "")));
	model_copy(member->membership, sizeof(member->membership),
		   text_or(entry, ENTRY_MEMBERSHIP, ""));
}

/* A pause that is kept in a database comes back without its reason. */
static void read_pause(struct entry *entry, struct queue_member *member)
{
	bool was = member->paused;
	const char *reason = text_or(entry, ENTRY_PAUSED_REASON, "");

	member->paused = entry_int(entry, ENTRY_PAUSED, 0) != 0;
	if (!member->paused || reason[0] != '\0' || !was)
		model_copy(member->reason, sizeof(member->reason), member->paused ? reason : "");
}

static void read_member(struct entry *entry, struct queue_member *member)
{
	read_names(entry, member);
	read_pause(entry, member);
	member->status = entry_int(entry, ENTRY_STATUS, 0);
	member->in_call = entry_int(entry, ENTRY_IN_CALL, 0) != 0;
	member->penalty = entry_int(entry, ENTRY_PENALTY, 0);
	member->calls_taken = entry_int(entry, ENTRY_CALLS_TAKEN, 0);
	member->last_call_at = entry_int(entry, ENTRY_LAST_CALL, 0) * 1000;
	member->login_at = entry_int(entry, ENTRY_LOGIN_TIME, 0) * 1000;
	member->wrap_up_s = entry_int(entry, ENTRY_WRAPUPTIME, 0);
}

static bool is_same(const struct queue_member *a, const struct queue_member *b)
{
	return strcmp(a->name, b->name) == 0 && strcmp(a->extension, b->extension) == 0 &&
	       strcmp(a->membership, b->membership) == 0 && a->status == b->status &&
	       a->paused == b->paused && strcmp(a->reason, b->reason) == 0 &&
	       a->in_call == b->in_call && a->penalty == b->penalty &&
	       a->calls_taken == b->calls_taken && a->last_call_at == b->last_call_at;
}

static void take_member(struct model *model, const char *interface, const char *change)
{
	const char *name = entry_text(&model->entry, ENTRY_QUEUE);
	struct queue *queue = name != NULL && interface != NULL ? queue_get(model, name) : NULL;
	struct queue_member *member = queue != NULL ? member_find(queue, interface) : NULL;
	struct queue_member before = {0};

	if (queue == NULL)
		return;
	if (member != NULL)
		before = *member;
	else
		member = queue_member_add(queue, interface);
	if (member == NULL) {
		model->counters.overflow++;
		return;
	}
	read_member(&model->entry, member);
	if (model->snapshot != 0)
		member->snapshot = model->snapshot;
	if (!is_same(&before, member))
		member_changed(model, queue, member, change);
}

void on_queue_member(struct model *model)
{
	if (model->snapshot != 0)
		take_member(model, entry_text(&model->entry, ENTRY_LOCATION), "member_changed");
}

void on_queue_member_changed(struct model *model)
{
	take_member(model, entry_text(&model->entry, ENTRY_INTERFACE), "member_changed");
}

void on_queue_member_added(struct model *model)
{
	take_member(model, entry_text(&model->entry, ENTRY_INTERFACE), "member_added");
}

void on_queue_member_removed(struct model *model)
{
	const char *name = entry_text(&model->entry, ENTRY_QUEUE);
	const char *interface = entry_text(&model->entry, ENTRY_INTERFACE);
	struct queue *queue = name != NULL ? table_get(&model->queues, name) : NULL;
	struct queue_member *member =
		queue != NULL && interface != NULL ? member_find(queue, interface) : NULL;

	if (member == NULL)
		return;
	member_changed(model, queue, member, "member_removed");
	remove_member(queue, member);
}

/* ---- an agent in all its queues ---- */

/* Calls fn for each membership of the agent, logged out or not. */
static void each_membership(struct model *model, const struct agent *agent,
			    void (*fn)(struct model *, const struct queue *,
				       const struct queue_member *, void *),
			    void *context)
{
	size_t cursor = 0;

	for (struct queue *queue; (queue = table_next(&model->queues, &cursor)) != NULL;)
		for (size_t i = 0; i < queue->member_count; i++)
			if (strcmp(queue->members[i].extension, agent->extension) == 0)
				fn(model, queue, &queue->members[i], context);
}

struct pauses {
	unsigned all, paused;
	const char *reason;
};

static void count_pause(struct model *model, const struct queue *queue,
			const struct queue_member *member, void *context)
{
	struct pauses *pauses = context;

	(void)model;
	(void)queue;
	if (!member_is_logged_in(member))
		return;
	pauses->all++;
	if (!member->paused || strcmp(member->reason, WRAP_UP_REASON) == 0)
		return;
	pauses->paused++;
	pauses->reason = member->reason;
}

bool queues_paused(struct model *model, const struct agent *agent, const char **reason_r)
{
	struct pauses pauses = {.reason = ""};

	each_membership(model, agent, count_pause, &pauses);
	if (pauses.all == 0 || pauses.paused < pauses.all)
		return false;
	*reason_r = pauses.reason;
	return true;
}

static void write_membership(struct model *model, const struct queue *queue,
			     const struct queue_member *member, void *context)
{
	struct json_writer *writer = context;

	(void)model;
	json_begin_object(writer);
	json_field_str(writer, "queue", queue->name);
	json_field_str(writer, "interface", member->interface);
	json_field_bool(writer, "loggedIn", member_is_logged_in(member));
	json_field_bool(writer, "paused", member->paused);
	if (member->reason[0] != '\0')
		json_field_str(writer, "reason", member->reason);
	json_field_str(writer, "membership", member->membership);
	json_end_object(writer);
}

void queues_of_agent_write(struct model *model, const struct agent *agent,
			   struct json_writer *writer)
{
	json_begin_array(writer);
	each_membership(model, agent, write_membership, writer);
	json_end_array(writer);
}

/* ---- wrap-up ---- */

int64_t queue_wrap_up_ms(struct model *model, const struct agent *agent)
{
	struct queue *queue = table_get(&model->queues, agent->serving);

	for (size_t i = 0; queue != NULL && i < queue->member_count; i++)
		if (strcmp(queue->members[i].extension, agent->extension) == 0 &&
		    queue->members[i].wrap_up_s > 0)
			return queue->members[i].wrap_up_s * 1000;
	return model->settings->wrap_up_ms;
}

static void order_pause(struct model *model, const struct queue *queue,
			const struct queue_member *member, bool paused, const char *reason)
{
	struct model_order *order = order_new(model, ORDER_PAUSE);

	order->call_id = mem_printf("agent:%s", member->extension);
	order->queue = mem_strdup(queue->name);
	order->channel = mem_strdup(member->interface);
	order->paused = paused;
	order->reason = mem_strdup(reason);
}

static void pause_membership(struct model *model, const struct queue *queue,
			     const struct queue_member *member, void *context)
{
	if (!member->paused)
		order_pause(model, queue, member, true, context);
}

void queues_pause_agent(struct model *model, const struct agent *agent, const char *reason)
{
	each_membership(model, agent, pause_membership, (void *)(uintptr_t)reason);
}

/* Only what the wrap-up has paused; an agent who asked for a pause meanwhile stays. */
static void unpause_membership(struct model *model, const struct queue *queue,
			       const struct queue_member *member, void *context)
{
	const struct agent *agent = context;

	if (member->paused && strcmp(member->reason, WRAP_UP_REASON) == 0)
		order_pause(model, queue, member, agent->paused, agent->pause_reason);
}

void queues_unpause_agent(struct model *model, const struct agent *agent)
{
	each_membership(model, agent, unpause_membership, (void *)(uintptr_t)agent);
}

/* ---- the list of everything ---- */

/* The end of a wrap-up may have been asked for while nobody heard it. */
static void mend_wrap_up(struct model *model, struct queue *queue, struct queue_member *member)
{
	const struct agent *agent = table_get(&model->agents, member->extension);

	if (agent != NULL && agent->wrap_until == 0)
		unpause_membership(model, queue, member, (void *)(uintptr_t)agent);
}

void queue_members_snapshot_end(struct model *model, struct queue *queue)
{
	for (size_t i = queue->member_count; i-- > 0;) {
		struct queue_member *member = &queue->members[i];

		if (member->snapshot == model->snapshot) {
			mend_wrap_up(model, queue, member);
			continue;
		}
		member_changed(model, queue, member, "member_removed");
		remove_member(queue, member);
	}
}
