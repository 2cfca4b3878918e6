#include "task.h"

#include "action_rules.h"
#include "ami_json.h"
#include "ids.h"
#include "json.h"
#include "mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define EVENTS_MAX  ((size_t)4 * 1024 * 1024) /* bytes of list items in one reply */
#define CALL_ID_MAX 120

const char *task_outcome_name(enum msg_ami_reply_outcome outcome)
{
	static const char *const names[] = {"success",     "error",   "expired",
					    "unavailable", "invalid", "outcome_unknown"};

	return names[outcome];
}

struct task *task_new(const char *entry_id, const char *data, size_t len)
{
	struct task *task = mem_new(struct task);

	snprintf(task->entry_id, sizeof(task->entry_id), "%s", entry_id);
	task->json = json_parse(data, len, &task->fault);
	if (task->json != NULL)
		(void)msg_ami_action_parse(task->json, &task->request, &task->fault);
	if (task->fault == NULL && !id_is_safe(task->request.id, AMI_ID_MAX))
		task->fault = "the id holds other characters than letters, digits and ._:-";
	return task;
}

void task_free(struct task **_task)
{
	struct task *task = *_task;

	*_task = NULL;
	if (task == NULL)
		return;
	cJSON_Delete(task->json);
	buffer_free(&task->message);
	buffer_free(&task->fields);
	buffer_free(&task->events);
	buffer_free(&task->reply);
	free(task);
}

/* ---- to Asterisk ---- */

bool task_is_originate(const struct task *task)
{
	return task->fault == NULL && strcasecmp(task->request.action, "Originate") == 0;
}

/* What the gateway itself decides about a new call. */
static bool is_forced(const char *key)
{
	return strcasecmp(key, "Async") == 0 || strcasecmp(key, "ChannelId") == 0;
}

/* Refuses what action_rules.h and the wire refuse; one field is looked at once. */
static const char *add_field(const struct task *task, const cJSON *pair, struct ami_action *action,
			     struct json_writer *sent)
{
	const cJSON *key = cJSON_GetArrayItem(pair, 0);
	const cJSON *value = cJSON_GetArrayItem(pair, 1);
	struct action_field field;

	if (!cJSON_IsString(key) || !cJSON_IsString(value) || cJSON_GetArraySize(pair) != 2)
		return "a field is not [name, value]";
	field = (struct action_field){key->valuestring, value->valuestring};
	if (task_is_originate(task) && is_forced(field.key))
		return NULL;
	ami_action_field(action, field.key, field.value);
	json_begin_array(sent);
	json_str(sent, field.key);
	json_str(sent, field.value);
	json_end_array(sent);
	return action_refusal(task->request.action, &field, 1);
}

static const char *add_call(const struct task *task, struct ami_action *action,
			    struct json_writer *sent)
{
	const char *const forced[2][2] = {{"ChannelId", task->request.call_id}, {"Async", "true"}};

	if (task->request.call_id == NULL || !id_is_safe(task->request.call_id, CALL_ID_MAX))
		return "an Originate needs a callId of letters, digits and ._:-";
	for (size_t i = 0; i < 2; i++) {
		ami_action_field(action, forced[i][0], forced[i][1]);
		json_begin_array(sent);
		json_str(sent, forced[i][0]);
		json_str(sent, forced[i][1]);
		json_end_array(sent);
	}
	return NULL;
}

const char *task_compose(const struct task *task, struct ami_action *action, char **fields_r)
{
	struct buffer fields = {0};
	struct json_writer sent = json_writer_init(&fields);
	const char *fault = action_refusal(task->request.action, NULL, 0);
	const cJSON *pair;

	*fields_r = NULL;
	ami_action_begin(action, task->request.action, task->request.id);
	json_begin_array(&sent);
	for (pair = task->request.fields.tree->child; pair != NULL && fault == NULL;
	     pair = pair->next)
		fault = add_field(task, pair, action, &sent);
	if (fault == NULL && task_is_originate(task))
		fault = add_call(task, action, &sent);
	json_end_array(&sent);
	if (fault == NULL && ami_action_end(action) < 0)
		fault = action->error;
	if (fault == NULL)
		*fields_r = buffer_take(&fields, NULL);
	buffer_free(&fields);
	return fault;
}

/* ---- from Asterisk ---- */

void task_add_response(struct task *task, const struct ami_message *response)
{
	static const char *const skip[] = {"Response", "ActionID", "Message", "EventList", NULL};
	const struct ami_header *message = ami_first(response, "Message");
	bool good = ami_header_is(&response->headers[0], "Success") ||
		    ami_header_is(&response->headers[0], "Goodbye");

	task->outcome = good ? MSG_AMI_REPLY_OUTCOME_SUCCESS : MSG_AMI_REPLY_OUTCOME_ERROR;
	buffer_clear(&task->message);
	buffer_clear(&task->fields);
	if (message != NULL)
		buffer_append(&task->message, message->value, message->value_len);
	while (task->message.len > 0 && task->message.data[task->message.len - 1] == '\n')
		task->message.data[--task->message.len] = '\0';
	ami_json_headers(response, skip, &task->fields);
}

void task_add_item(struct task *task, const struct ami_message *item)
{
	static const char *const skip[] = {"ActionID", NULL};

	if (task->events.len > EVENTS_MAX)
		return;
	buffer_append_char(&task->events, task->event_count++ == 0 ? '[' : ',');
	ami_json_headers(item, skip, &task->events);
}

/* The id of an action that could not be read may still be there, so that somebody learns of it. */
static const char *known_id(const struct task *task)
{
	const char *id = task->json != NULL ? json_get_str(task->json, "id") : NULL;

	return id != NULL && id[0] != '\0' ? id : "unknown";
}

void task_answer(struct task *task, enum msg_ami_reply_outcome outcome, const char *message)
{
	struct msg_ami_reply reply = {
		.id = known_id(task),
		.outcome = outcome,
		.message = message != NULL ? message : buffer_str(&task->message),
		.fields = {.text = task->fields.len > 0 ? task->fields.data : "{}"},
	};
	struct json_writer writer = json_writer_init(&task->reply);

	if (task->event_count > 0) {
		buffer_append_char(&task->events, ']');
		reply.events.text = task->events.data;
	}
	task->outcome = outcome;
	task->state = TASK_ANSWERED;
	buffer_clear(&task->reply);
	msg_ami_reply_write(&reply, &writer);
}
