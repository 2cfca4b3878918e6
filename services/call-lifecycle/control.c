#include "control.h"

#include "ids.h"
#include "json.h"
#include "mem.h"
#include "reach.h"

#include <stdlib.h>
#include <string.h>

/* ---- answers ---- */

void control_accepted(struct http_request *request, const char *more)
{
	struct buffer body = {0};
	struct json_writer writer = json_writer_init(&body);

	json_begin_object(&writer);
	json_field_str(&writer, "callId", call_view_text(call_view_of(request), "callId"));
	if (more != NULL)
		json_raw(&writer, more, strlen(more));
	json_end_object(&writer);
	http_reply_json(request, 202, &body);
}

void control_refused(struct http_request *request, enum msg_ami_reply_outcome outcome,
		     const char *message)
{
	switch (outcome) {
	case MSG_AMI_REPLY_OUTCOME_ERROR:
		http_reply_error(request, 409, "refused_by_pbx", "Asterisk: %s", message);
		break;
	case MSG_AMI_REPLY_OUTCOME_INVALID:
		http_reply_error(request, 400, "invalid_action", "%s", message);
		break;
	case MSG_AMI_REPLY_OUTCOME_UNAVAILABLE:
		http_reply_error(request, 503, "pbx_unavailable", "%s", message);
		break;
	case MSG_AMI_REPLY_OUTCOME_EXPIRED:
		http_reply_error(request, 504, "expired", "it was not sent in time: %s", message);
		break;
	default:
		http_reply_error(request, 502, "outcome_unknown", "it may have happened or not: %s",
				 message);
	}
}

/* ---- commands ---- */

struct command control_command(struct http_request *request, const char *action)
{
	const struct call_view *view = call_view_of(request);

	return (struct command){
		.pbx = call_view_text(view, "pbx"),
		.action = action,
		.call_id = call_view_text(view, "callId"),
		.request_id = http_request_id(request),
	};
}

void control_add(struct command *command, const char *name, const char *value)
{
	size_t count = 0;

	while (count < COMMAND_FIELDS_MAX && command->fields[count].name != NULL)
		count++;
	if (count == COMMAND_FIELDS_MAX)
		return;
	command->fields[count].name = name;
	command->fields[count].value = value;
}

bool control_is_up(struct service *service, struct http_request *request)
{
	if (pbx_watch_is_up(service->watch, call_view_text(call_view_of(request), "pbx")))
		return true;
	http_reply_error(request, 503, "pbx_unavailable", "Asterisk is not connected");
	return false;
}

struct sent {
	struct http_request *request;
	char *more; /* NULL: none */
};

static void on_done(enum msg_ami_reply_outcome outcome, const char *message, void *context)
{
	struct sent *sent = context;

	if (outcome == MSG_AMI_REPLY_OUTCOME_SUCCESS)
		control_accepted(sent->request, sent->more);
	else
		control_refused(sent->request, outcome, message);
	free(sent->more);
	free(sent);
}

void control_send(struct service *service, struct http_request *request,
		  const struct command *command, const char *more)
{
	struct sent *sent;

	if (!control_is_up(service, request))
		return;
	sent = mem_new(struct sent);
	*sent = (struct sent){request, mem_strdup(more)};
	commands_send(service->commands, command, on_done, sent);
}

struct control_group {
	struct service *service;
	struct http_request *request;
	size_t waiting;
	bool succeeded;
	enum msg_ami_reply_outcome outcome; /* of one that did not succeed */
	char message[200];
};

struct control_group *control_group_new(struct service *service, struct http_request *request)
{
	struct control_group *group = mem_new(struct control_group);

	group->service = service;
	group->request = request;
	group->waiting = 1; /* until all are sent */
	group->outcome = MSG_AMI_REPLY_OUTCOME_ERROR;
	return group;
}

void control_group_release(struct control_group *group)
{
	if (--group->waiting > 0)
		return;
	if (group->succeeded)
		control_accepted(group->request, NULL);
	else
		control_refused(group->request, group->outcome, group->message);
	free(group);
}

static void on_one_done(enum msg_ami_reply_outcome outcome, const char *message, void *context)
{
	struct control_group *group = context;
	size_t len = strlen(message);

	if (outcome == MSG_AMI_REPLY_OUTCOME_SUCCESS) {
		group->succeeded = true;
	} else {
		group->outcome = outcome;
		if (len >= sizeof(group->message))
			len = sizeof(group->message) - 1;
		memcpy(group->message, message, len);
		group->message[len] = '\0';
	}
	control_group_release(group);
}

void control_group_send(struct control_group *group, const struct command *command)
{
	group->waiting++;
	commands_send(group->service->commands, command, on_one_done, group);
}

/* ---- channels ---- */

bool control_legs(struct http_request *request, struct legs *legs_r)
{
	const struct call_view *view = call_view_of(request);

	legs_r->count = call_view_legs(view, legs_r->all, LEGS_MAX);
	if (strcmp(call_view_text(view, "state"), "ended") == 0) {
		http_reply_error(request, 409, "call_ended", "the call is over");
		return false;
	}
	return true;
}

const struct call_leg *control_leg_of(const struct legs *legs, const char *uniqueid)
{
	for (size_t i = 0; i < legs->count; i++)
		if (strcmp(legs->all[i].uniqueid, uniqueid) == 0)
			return &legs->all[i];
	return NULL;
}

static bool find_pair(struct http_request *request, const struct legs *legs,
		      const struct call_leg **own_r, const struct call_leg **other_r)
{
	const char *extension = http_principal(request)->extension;
	const struct call_leg *own = NULL;

	for (size_t i = 0; i < legs->count; i++) {
		const struct call_leg *leg = &legs->all[i];

		if (leg->peer[0] == '\0' || leg->extension[0] == '\0' ||
		    control_leg_of(legs, leg->peer) == NULL)
			continue;
		/* The newest stands first: the one that was there before is its fallback. */
		if (own == NULL || strcmp(own->extension, extension) != 0)
			own = leg;
	}
	*own_r = own;
	*other_r = own != NULL ? control_leg_of(legs, own->peer) : NULL;
	return own != NULL;
}

bool control_pair(struct http_request *request, struct legs *legs_r, const struct call_leg **own_r,
		  const struct call_leg **other_r)
{
	if (!control_legs(request, legs_r))
		return false;
	if (find_pair(request, legs_r, own_r, other_r))
		return true;
	http_reply_error(request, 409, "not_connected", "nobody talks on this call now");
	return false;
}

/* Which extension is meant; NULL: a reply was sent. */
static const char *whose(struct http_request *request)
{
	const struct principal *who = http_principal(request);
	const char *asked = http_query(request, "extension");

	if (asked == NULL)
		return who->extension;
	if (!id_is_number(asked)) {
		http_reply_error(request, 400, "invalid_extension", "extension must be a number");
		return NULL;
	}
	if (!reach_sees(who, PERMISSION_ALL_CALLS, asked)) {
		http_reply_error(request, 403, "not_your_extension",
				 "you change your own side of a call, or that of your teams");
		return NULL;
	}
	return asked;
}

bool control_own(struct http_request *request, struct legs *legs_r, const struct call_leg **own_r)
{
	const char *extension = whose(request);
	const struct call_leg *own = NULL;

	if (extension == NULL || !control_legs(request, legs_r))
		return false;
	for (size_t i = 0; i < legs_r->count; i++) {
		const struct call_leg *leg = &legs_r->all[i];
		bool named = strcmp(leg->extension, extension) == 0;

		if (leg->extension[0] == '\0' || !leg->up ||
		    (!named && http_query(request, "extension") != NULL))
			continue;
		if (own == NULL || (named && strcmp(own->extension, extension) != 0))
			own = leg;
	}
	*own_r = own;
	if (own != NULL)
		return true;
	http_reply_error(request, 409, "not_connected", "this extension is not up on this call");
	return false;
}
