#include "sender.h"

#include "clock.h"
#include "log.h"
#include "loop.h"
#include "mem.h"
#include "recent_ids.h"
#include "stream_reader.h"
#include "task.h"

#include <stdlib.h>
#include <string.h>

#define BATCH_MAX        32
#define IN_HAND_MAX      256
#define LINK_PENDING_MAX 128
#define DEADLINE_STEP_MS 50
#define GRACE_MS         100 /* for an answer that comes with the deadline */

struct sender {
	struct sender_settings set;
	char key[STORE_KEY_MAX];
	const char *streams[2];
	struct stream_reader *reader;
	bool is_starved; /* the reader waits until there is room */
	struct timer *deadlines;
	struct task *first, **end; /* in hand, in the order of arrival */
	size_t count;
	struct recent_ids recent;
	struct ami_action action; /* scratch */
	bool is_closed;
	unsigned holds; /* transactions under way */
};

/* An answer that is awaited from Asterisk: outlives its task when the deadline comes first. */
struct waiting {
	struct sender *sender;
	char entry_id[48];
};

static void on_deadlines(void *context);

/* ---- the line of tasks ---- */

static struct task *find(const struct sender *sender, const char *entry_id)
{
	struct task *task = sender->first;

	while (task != NULL && strcmp(task->entry_id, entry_id) != 0)
		task = task->next;
	return task;
}

static void push(struct sender *sender, struct task *task)
{
	*sender->end = task;
	sender->end = &task->next;
	sender->count++;
	sender->set.metrics->ami_actions_in_hand = (int64_t)sender->count;
	if (sender->deadlines == NULL)
		sender->deadlines = timer_start(sender->set.loop, DEADLINE_STEP_MS,
						DEADLINE_STEP_MS, on_deadlines, sender);
}

static void drop(struct sender *sender, struct task *task)
{
	struct task **at = &sender->first;

	while (*at != task)
		at = &(*at)->next;
	*at = task->next;
	if (sender->end == &task->next)
		sender->end = at;
	sender->count--;
	sender->set.metrics->ami_actions_in_hand = (int64_t)sender->count;
	task_free(&task);
	if (sender->count == 0)
		timer_stop(&sender->deadlines);
	if (sender->is_starved && sender->reader != NULL && sender->count < IN_HAND_MAX) {
		sender->is_starved = false;
		stream_reader_next(sender->reader);
	}
	if (sender->count == 0 && sender->set.on_idle != NULL)
		sender->set.on_idle(sender->set.context);
}

/* ---- replies ---- */

struct storing {
	struct sender *sender;
	char entry_id[48];
};

static void release(struct sender *sender)
{
	if (--sender->holds > 0 || !sender->is_closed)
		return;
	while (sender->first != NULL) {
		struct task *task = sender->first;

		sender->first = task->next;
		task_free(&task);
	}
	ami_action_free(&sender->action);
	free(sender);
}

static void on_stored(bool stored, void *context)
{
	struct storing *storing = context;
	struct sender *sender = storing->sender;
	struct task *task = find(sender, storing->entry_id);

	if (task != NULL && !sender->is_closed) {
		task->storing = false;
		if (stored)
			drop(sender, task);
	}
	free(storing);
	release(sender);
}

static void store_answer(struct sender *sender, struct task *task)
{
	struct storing *storing;
	const char *reply_to = NULL;

	if (task->storing || !store_is_up(sender->set.store))
		return;
	if (task->json != NULL)
		reply_to = json_get_str(task->json, "replyTo");
	storing = mem_new(struct storing);
	storing->sender = sender;
	memcpy(storing->entry_id, task->entry_id, sizeof(storing->entry_id));
	task->storing = true;
	sender->holds++;
	store_reply(sender->set.store, sender->set.pbx, task->entry_id,
		    reply_to != NULL ? reply_to : "", task->reply.data, task->reply.len, on_stored,
		    storing);
}

static void count_outcome(struct gateway_metrics *metrics, enum msg_ami_reply_outcome outcome)
{
	uint64_t *const counters[] = {
		&metrics->ami_actions_success_total, &metrics->ami_actions_error_total,
		&metrics->ami_actions_expired_total, &metrics->ami_actions_unavailable_total,
		&metrics->ami_actions_invalid_total, &metrics->ami_actions_outcome_unknown_total,
	};

	++*counters[outcome];
}

/* fields: what is sent of it. */
static void announce_call(struct sender *sender, struct task *task, const char *fields)
{
	char *data = NULL;

	if (!task_is_originate(task))
		return;
	task->told = true;
	if (task->request.data.tree != NULL)
		data = cJSON_PrintUnformatted(task->request.data.tree);
	event_stream_originate(sender->set.stream, task->request.call_id, task->request.id, fields,
			       data);
	cJSON_free(data);
}

static void tell_failed_call(struct sender *sender, struct task *task, const char *message)
{
	const char *call_id = task->request.call_id;

	if (task->outcome == MSG_AMI_REPLY_OUTCOME_SUCCESS || !task_is_originate(task) ||
	    call_id == NULL || call_id[0] == '\0')
		return;
	if (!task->told)
		announce_call(sender, task, "[]");
	event_stream_originate_failed(sender->set.stream, call_id, task->request.id,
				      task_outcome_name(task->outcome), message);
}

/* What no event of Asterisk's tells: who asked for it, and what for. */
static void tell_done(struct sender *sender, const struct task *task)
{
	const struct msg_ami_action *request = &task->request;
	char *data;

	if (task->outcome != MSG_AMI_REPLY_OUTCOME_SUCCESS || task_is_originate(task) ||
	    request->call_id == NULL || request->data.tree == NULL)
		return;
	data = cJSON_PrintUnformatted(request->data.tree);
	event_stream_done(sender->set.stream, request->call_id, request->id, request->action, data);
	cJSON_free(data);
}

/* message NULL: Asterisk's own. */
static void answer(struct sender *sender, struct task *task, enum msg_ami_reply_outcome outcome,
		   const char *message)
{
	task_answer(task, outcome, message);
	if (message == NULL)
		message = buffer_str(&task->message);
	count_outcome(sender->set.metrics, outcome);
	tell_failed_call(sender, task, message);
	tell_done(sender, task);
	log_info("action", log_str("pbx", sender->set.pbx),
		 log_str("action",
			 task->request.action != NULL ? task->request.action : "unreadable"),
		 log_str("outcome", task_outcome_name(outcome)), log_str("reason", message),
		 log_str("request_id", task->request.request_id),
		 log_str("call_id", task->request.call_id));
	store_answer(sender, task);
}

/* ---- Asterisk's answer ---- */

static void on_answer(enum ami_part part, const struct ami_message *message, void *context)
{
	struct waiting *waiting = context;
	struct sender *sender = waiting->sender;
	struct task *task = find(sender, waiting->entry_id);

	if (task != NULL && task->state == TASK_SENT && !sender->is_closed) {
		if (message != NULL && message->kind == AMI_RESPONSE)
			task_add_response(task, message);
		else if (part == AMI_PART_ITEM)
			task_add_item(task, message);
		if (part == AMI_PART_LAST) {
			metric_observe_us(&sender->set.metrics->ami_action_seconds,
					  clock_mono_us() - task->sent_us);
			answer(sender, task, task->outcome, NULL);
		} else if (part == AMI_PART_LOST) {
			answer(sender, task, MSG_AMI_REPLY_OUTCOME_OUTCOME_UNKNOWN,
			       "the connection was lost before Asterisk answered");
		}
	}
	if (part == AMI_PART_LAST || part == AMI_PART_LOST) {
		free(waiting);
		release(sender);
	}
}

/* ---- to Asterisk ---- */

static struct ami_link *choose_link(const struct sender *sender)
{
	struct ami_link *best = NULL;

	for (size_t i = 0; i < sender->set.link_count; i++) {
		struct ami_link *link = sender->set.links[i];

		if (link != NULL && ami_link_is_up(link) &&
		    ami_link_pending(link) < LINK_PENDING_MAX &&
		    (best == NULL || ami_link_pending(link) < ami_link_pending(best)))
			best = link;
	}
	return best;
}

static void transmit(struct sender *sender, struct task *task, const char *fields)
{
	struct ami_link *link = lease_is_held(sender->set.lease) ? choose_link(sender) : NULL;
	struct waiting *waiting;

	if (link == NULL) {
		answer(sender, task, MSG_AMI_REPLY_OUTCOME_UNAVAILABLE,
		       "there is no connection to Asterisk");
		return;
	}
	announce_call(sender, task, fields);
	waiting = mem_new(struct waiting);
	waiting->sender = sender;
	memcpy(waiting->entry_id, task->entry_id, sizeof(waiting->entry_id));
	task->state = TASK_SENT;
	task->sent_us = clock_mono_us();
	sender->holds++;
	if (ami_link_send(link, task->request.id, &sender->action.text, on_answer, waiting) == 0)
		return;
	free(waiting);
	sender->holds--;
	answer(sender, task, MSG_AMI_REPLY_OUTCOME_UNAVAILABLE,
	       "the connection to Asterisk takes nothing");
}

static bool id_is_in_use(const struct sender *sender, const struct task *task)
{
	for (const struct task *at = sender->first; at != NULL; at = at->next)
		if (at->state == TASK_SENT && strcmp(at->request.id, task->request.id) == 0)
			return true;
	return false;
}

static void begin(struct sender *sender, struct task *task)
{
	const char *fault = task->fault;
	char *fields = NULL;

	if (fault == NULL && id_is_in_use(sender, task))
		fault = "an action with this id is under way";
	if (fault == NULL && clock_wall_ms() >= task->request.deadline_at) {
		answer(sender, task, MSG_AMI_REPLY_OUTCOME_EXPIRED, "its deadline has passed");
		return;
	}
	if (fault == NULL)
		fault = task_compose(task, &sender->action, &fields);
	if (fault != NULL)
		answer(sender, task, MSG_AMI_REPLY_OUTCOME_INVALID, fault);
	else
		transmit(sender, task, fields);
	free(fields);
}

/* ---- from the stream ---- */

static void take_entry(struct sender *sender, const struct stream_entry *entry)
{
	struct task *task = find(sender, entry->id);
	bool is_repeat;

	if (task != NULL) {
		if (task->state == TASK_ANSWERED)
			store_answer(sender, task);
		return;
	}
	task = task_new(entry->id, entry->data, entry->len);
	push(sender, task);
	is_repeat = recent_ids_add(&sender->recent, entry->id);
	if (entry->replayed)
		answer(sender, task, MSG_AMI_REPLY_OUTCOME_OUTCOME_UNKNOWN,
		       "the gateway that took it died before it answered");
	else if (is_repeat)
		answer(sender, task, MSG_AMI_REPLY_OUTCOME_OUTCOME_UNKNOWN,
		       "it was taken before, and Redis has lost that");
	else
		begin(sender, task);
}

static void on_batch(const struct stream_entry *entries, size_t count, void *context)
{
	struct sender *sender = context;

	for (size_t i = 0; i < count; i++)
		take_entry(sender, &entries[i]);
	if (sender->count < IN_HAND_MAX)
		stream_reader_next(sender->reader);
	else
		sender->is_starved = true;
}

/* A caller does not wait past its deadline, so it learns then that nobody knows. */
static void on_deadlines(void *context)
{
	struct sender *sender = context;
	int64_t now = clock_wall_ms();

	for (struct task *task = sender->first, *next; task != NULL; task = next) {
		next = task->next;
		if (task->state == TASK_SENT && now >= task->request.deadline_at + GRACE_MS)
			answer(sender, task, MSG_AMI_REPLY_OUTCOME_OUTCOME_UNKNOWN,
			       "Asterisk did not answer before the deadline");
	}
}

/* ---- life ---- */

struct sender *sender_open(const struct sender_settings *set)
{
	struct sender *sender = mem_new(struct sender);

	sender->set = *set;
	sender->end = &sender->first;
	sender->streams[0] = store_actions_key(set->pbx, sender->key);
	sender->holds = 1;
	return sender;
}

void sender_run(struct sender *sender)
{
	const struct stream_reader_settings reader = {
		.redis = sender->set.redis,
		.streams = sender->streams,
		.group = "ami-gateway",
		.consumer = "sender",
		.batch_max = BATCH_MAX,
		.block_ms = 2000,
		.on_batch = on_batch,
		.context = sender,
	};

	if (sender->reader != NULL)
		return;
	sender->is_starved = false;
	sender->reader = stream_reader_open(sender->set.loop, &reader);
}

void sender_pause(struct sender *sender)
{
	stream_reader_close(&sender->reader);
}

void sender_retry(struct sender *sender)
{
	for (struct task *task = sender->first, *next; task != NULL; task = next) {
		next = task->next;
		if (task->state == TASK_ANSWERED)
			store_answer(sender, task);
	}
}

size_t sender_in_hand(const struct sender *sender)
{
	return sender->count;
}

void sender_close(struct sender **_sender)
{
	struct sender *sender = *_sender;

	*_sender = NULL;
	if (sender == NULL)
		return;
	stream_reader_close(&sender->reader);
	timer_stop(&sender->deadlines);
	sender->is_closed = true;
	sender->set.metrics->ami_actions_in_hand = 0;
	release(sender);
}
