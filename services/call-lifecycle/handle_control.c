/* Hang up, hold, unhold, transfer: one or more actions, answered when Asterisk has spoken. */
#include "call_view.h"
#include "ids.h"
#include "json.h"
#include "mem.h"
#include "routes.h"
#include "service.h"

#include <stdlib.h>
#include <string.h>

#define LEGS_MAX 32

struct legs {
	struct call_leg all[LEGS_MAX];
	size_t count;
};

static void reply_accepted(struct http_request *request)
{
	struct buffer body = {0};
	struct json_writer writer = json_writer_init(&body);

	json_begin_object(&writer);
	json_field_str(&writer, "callId", call_view_text(call_view_of(request), "callId"));
	json_end_object(&writer);
	http_reply_json(request, 202, &body);
}

static void reply_refused(struct http_request *request, enum msg_ami_reply_outcome outcome,
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

static void on_done(enum msg_ami_reply_outcome outcome, const char *message, void *context)
{
	struct http_request *request = context;

	if (outcome == MSG_AMI_REPLY_OUTCOME_SUCCESS)
		reply_accepted(request);
	else
		reply_refused(request, outcome, message);
}

static struct command command_for(struct http_request *request, const char *action)
{
	const struct call_view *view = call_view_of(request);

	return (struct command){
		.pbx = call_view_text(view, "pbx"),
		.action = action,
		.call_id = call_view_text(view, "callId"),
		.request_id = http_request_id(request),
	};
}

static void send_one(struct service *service, struct http_request *request,
		     const struct command *command)
{
	if (!pbx_watch_is_up(service->watch, command->pbx))
		http_reply_error(request, 503, "pbx_unavailable", "Asterisk is not connected");
	else
		commands_send(service->commands, command, on_done, request);
}

/* False: a reply was sent. */
static bool read_legs(struct http_request *request, struct legs *legs_r)
{
	const struct call_view *view = call_view_of(request);

	legs_r->count = call_view_legs(view, legs_r->all, LEGS_MAX);
	if (strcmp(call_view_text(view, "state"), "ended") == 0) {
		http_reply_error(request, 409, "call_ended", "the call is over");
		return false;
	}
	return true;
}

static const struct call_leg *leg_of(const struct legs *legs, const char *uniqueid)
{
	for (size_t i = 0; i < legs->count; i++)
		if (strcmp(legs->all[i].uniqueid, uniqueid) == 0)
			return &legs->all[i];
	return NULL;
}

/* The side that the request speaks for: the caller's own extension, else the first of ours; and the
   one at its other end. */
static bool find_pair(struct http_request *request, const struct legs *legs,
		      const struct call_leg **own_r, const struct call_leg **other_r)
{
	const char *extension = http_principal(request)->extension;
	const struct call_leg *own = NULL;

	for (size_t i = 0; i < legs->count; i++) {
		const struct call_leg *leg = &legs->all[i];

		if (leg->peer[0] == '\0' || leg->extension[0] == '\0' ||
		    leg_of(legs, leg->peer) == NULL)
			continue;
		/* The newest stands first: the one that was there before is its fallback. */
		if (own == NULL || strcmp(own->extension, extension) != 0)
			own = leg;
	}
	*own_r = own;
	*other_r = own != NULL ? leg_of(legs, own->peer) : NULL;
	return own != NULL;
}

/* False: a reply was sent. */
static bool read_pair(struct http_request *request, struct legs *legs_r,
		      const struct call_leg **own_r, const struct call_leg **other_r)
{
	if (!read_legs(request, legs_r))
		return false;
	if (find_pair(request, legs_r, own_r, other_r))
		return true;
	http_reply_error(request, 409, "not_connected", "nobody talks on this call now");
	return false;
}

/* ---- hold ---- */

void handle_hold(struct http_request *request, void *context)
{
	struct command command = command_for(request, "Redirect");
	const struct call_leg *own, *other;
	struct legs legs;

	if (!read_pair(request, &legs, &own, &other))
		return;
	if (strcmp(own->hold, "suite") == 0) {
		http_reply_error(request, 409, "already_held", "the call is on hold");
		return;
	}
	command.fields[0].name = "Channel", command.fields[0].value = own->channel;
	command.fields[1].name = "ExtraChannel", command.fields[1].value = other->channel;
	command.fields[2].name = "Context", command.fields[2].value = "mayday-hold";
	command.fields[3].name = "Exten", command.fields[3].value = "agent";
	command.fields[4].name = "Priority", command.fields[4].value = "1";
	command.fields[5].name = "ExtraContext", command.fields[5].value = "mayday-hold";
	command.fields[6].name = "ExtraExten", command.fields[6].value = "customer";
	command.fields[7].name = "ExtraPriority", command.fields[7].value = "1";
	send_one(context, request, &command);
}

void handle_unhold(struct http_request *request, void *context)
{
	struct command command = command_for(request, "Bridge");
	const struct call_leg *own, *other;
	struct legs legs;

	if (!read_pair(request, &legs, &own, &other))
		return;
	if (strcmp(own->hold, "suite") != 0 && strcmp(other->hold, "suite") != 0) {
		http_reply_error(request, 409, "not_held",
				 own->hold[0] != '\0' || other->hold[0] != '\0'
					 ? "the phone holds the call: only it can take it back"
					 : "the call is not on hold");
		return;
	}
	command.fields[0].name = "Channel1", command.fields[0].value = own->channel;
	command.fields[1].name = "Channel2", command.fields[1].value = other->channel;
	command.fields[2].name = "Tone", command.fields[2].value = "no";
	send_one(context, request, &command);
}

/* ---- several actions for one request ---- */

struct group {
	struct http_request *request;
	size_t waiting;
	bool succeeded;
	enum msg_ami_reply_outcome outcome; /* of one that did not succeed */
	char message[200];
};

static void release(struct group *group)
{
	if (--group->waiting > 0)
		return;
	if (group->succeeded)
		reply_accepted(group->request);
	else
		reply_refused(group->request, group->outcome, group->message);
	free(group);
}

static void on_one_done(enum msg_ami_reply_outcome outcome, const char *message, void *context)
{
	struct group *group = context;
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
	release(group);
}

/* One leg may be gone before its turn: one success is enough. */
void handle_hang_up(struct http_request *request, void *context)
{
	struct service *service = context;
	struct command command = command_for(request, "Hangup");
	struct group *group;
	struct legs legs;

	if (!read_legs(request, &legs))
		return;
	if (legs.count == 0) {
		http_reply_error(request, 409, "not_ringing_yet",
				 "Asterisk has no channel of this call yet");
		return;
	}
	if (!pbx_watch_is_up(service->watch, command.pbx)) {
		http_reply_error(request, 503, "pbx_unavailable", "Asterisk is not connected");
		return;
	}
	group = mem_new(struct group);
	group->request = request;
	group->waiting = 1; /* until all are sent */
	group->outcome = MSG_AMI_REPLY_OUTCOME_ERROR;
	for (size_t i = 0; i < legs.count; i++) {
		if (legs.all[i].local)
			continue;
		group->waiting++;
		command.fields[0].name = "Channel";
		command.fields[0].value = legs.all[i].channel;
		commands_send(service->commands, &command, on_one_done, group);
	}
	release(group);
}

/* ---- transfer ---- */

static bool read_target(struct http_request *request, const char **target_r)
{
	const cJSON *body = http_json(request);
	const cJSON *item = body->child;

	*target_r = json_get_str(body, "target");
	if (item == NULL || item->next != NULL || *target_r == NULL || !id_is_number(*target_r)) {
		http_reply_error_details(request, 400, "invalid_field", "{\"field\":\"target\"}",
					 "target must be a number of at most 32 digits, and all "
					 "that the body has");
		return false;
	}
	return true;
}

void handle_transfer(struct http_request *request, void *context)
{
	struct command command = command_for(request, "Redirect");
	const struct call_leg *own, *other;
	const char *target;
	struct legs legs;

	if (!read_target(request, &target) || !read_pair(request, &legs, &own, &other))
		return;
	command.fields[0].name = "Channel", command.fields[0].value = other->channel;
	command.fields[1].name = "Context", command.fields[1].value = settings.lifecycle.context;
	command.fields[2].name = "Exten", command.fields[2].value = target;
	command.fields[3].name = "Priority", command.fields[3].value = "1";
	send_one(context, request, &command);
}
