/* Recording a call: start, stop, pause, resume. The other party's channel is listened to: it stays
   when the agent transfers the call. */
#include "audit.h"
#include "control.h"
#include "ids.h"
#include "json.h"
#include "mem.h"
#include "recording_path.h"
#include "routes.h"

#include <stdlib.h>
#include <string.h>

/* The last recording that is not over; NULL: none. Its members are borrowed from the tree. */
static const cJSON *find_live(const cJSON *recordings)
{
	const cJSON *found = NULL, *item;

	cJSON_ArrayForEach(item, recordings)
	{
		const char *state = json_get_str(item, "state");

		if (state != NULL && strcmp(state, "ended") != 0)
			found = item;
	}
	return found;
}

static cJSON *read_recordings(struct http_request *request)
{
	const char *text = call_view_text(call_view_of(request), "recordings");
	const char *error;

	return json_parse(text, strlen(text), &error);
}

static bool is_paused(const cJSON *recording)
{
	const char *state = json_get_str(recording, "state");

	return state != NULL && strcmp(state, "paused") == 0;
}

static void start(struct service *service, struct http_request *request, const char *id,
		  const struct call_leg *leg)
{
	struct command command = control_command(request, "MixMonitor");
	char path[RECORDING_PATH_MAX];
	char *data, *more;

	recording_path(id, path);
	data = mem_printf("{\"recordingId\":\"%s\",\"uniqueid\":\"%s\",\"by\":\"%s\"}", id,
			  leg->uniqueid, http_principal(request)->user_id);
	more = mem_printf("\"recordingId\":\"%s\"", id);
	command.data = data;
	control_add(&command, "Channel", leg->channel);
	control_add(&command, "File", path);
	if (audit_call(service, request, "call:recording_started", id))
		control_send(service, request, &command, more);
	free(data);
	free(more);
}

/* The other party's, or the only one that there is. */
static const struct call_leg *choose_leg(struct http_request *request, struct legs *legs)
{
	const struct call_leg *own, *other;

	if (!control_own(request, legs, &own))
		return NULL;
	other = own->peer[0] != '\0' ? control_leg_of(legs, own->peer) : NULL;
	return other != NULL ? other : own;
}

void handle_record(struct http_request *request, void *context)
{
	cJSON *recordings = read_recordings(request);
	const struct call_leg *leg;
	char id[ID_CALL_LEN + 1];
	struct legs legs;

	if (find_live(recordings) != NULL) {
		http_reply_error(request, 409, "already_recording", "the call is being recorded");
	} else {
		leg = choose_leg(request, &legs);
		id_call(id);
		if (leg != NULL)
			start(context, request, id, leg);
	}
	cJSON_Delete(recordings);
}

static const char *channel_of(const struct legs *legs, const cJSON *recording)
{
	const char *uniqueid = json_get_str(recording, "uniqueid");
	const struct call_leg *leg = uniqueid != NULL ? control_leg_of(legs, uniqueid) : NULL;

	return leg != NULL ? leg->channel : NULL;
}

/* Every one of them, should there be two. */
static void stop_all(struct service *service, struct http_request *request, const struct legs *legs,
		     const cJSON *recordings)
{
	struct control_group *group = control_group_new(service, request);
	struct command command = control_command(request, "StopMixMonitor");
	const cJSON *item;

	cJSON_ArrayForEach(item, recordings)
	{
		const char *state = json_get_str(item, "state");
		const char *channel = channel_of(legs, item);

		if (channel == NULL || state == NULL || strcmp(state, "ended") == 0)
			continue;
		command.fields[0].name = "Channel";
		command.fields[0].value = channel;
		control_group_send(group, &command);
	}
	control_group_release(group);
}

void handle_stop_recording(struct http_request *request, void *context)
{
	cJSON *recordings = read_recordings(request);
	const cJSON *live = find_live(recordings);
	struct legs legs;

	if (live == NULL)
		http_reply_error(request, 409, "not_recording", "the call is not being recorded");
	else if (control_legs(request, &legs) && control_is_up(context, request) &&
		 audit_call(context, request, "call:recording_stopped", NULL))
		stop_all(context, request, &legs, recordings);
	cJSON_Delete(recordings);
}

static void set_paused(struct service *service, struct http_request *request, const char *channel,
		       bool paused)
{
	struct command command = control_command(request, "MixMonitorMute");

	control_add(&command, "Channel", channel);
	control_add(&command, "Direction", "both");
	control_add(&command, "State", paused ? "1" : "0");
	if (audit_call(service, request,
		       paused ? "call:recording_paused" : "call:recording_resumed", NULL))
		control_send(service, request, &command, NULL);
}

void handle_pause_recording(struct http_request *request, void *context)
{
	cJSON *recordings = read_recordings(request);
	const cJSON *live = find_live(recordings);
	const char *channel = NULL;
	struct legs legs;

	if (live == NULL)
		http_reply_error(request, 409, "not_recording", "the call is not being recorded");
	else if (is_paused(live))
		http_reply_error(request, 409, "already_paused", "the recording is paused");
	else if (control_legs(request, &legs)) {
		channel = channel_of(&legs, live);
		if (channel != NULL)
			set_paused(context, request, channel, true);
		else
			http_reply_error(request, 409, "not_recording",
					 "the channel that was recorded is gone");
	}
	cJSON_Delete(recordings);
}

/* What was paused on a channel that has left goes on as another part, on one that is there. */
static void resume(struct service *service, struct http_request *request, const cJSON *recording)
{
	const char *channel, *id = json_get_str(recording, "recordingId");
	char next[RECORDING_ID_MAX + 1];
	const struct call_leg *leg;
	struct legs legs;

	if (!control_legs(request, &legs))
		return;
	channel = channel_of(&legs, recording);
	if (channel != NULL) {
		set_paused(service, request, channel, false);
		return;
	}
	leg = choose_leg(request, &legs);
	if (leg == NULL || id == NULL)
		return;
	recording_next_part(id, next);
	start(service, request, next, leg);
}

void handle_resume_recording(struct http_request *request, void *context)
{
	cJSON *recordings = read_recordings(request);
	const cJSON *live = find_live(recordings);

	if (live == NULL)
		http_reply_error(request, 409, "not_recording", "the call is not being recorded");
	else if (!is_paused(live))
		http_reply_error(request, 409, "not_paused", "the recording is not paused");
	else
		resume(context, request, live);
	cJSON_Delete(recordings);
}
