/* Hanging up: the call, or one channel of it. */
#include "audit.h"
#include "control.h"
#include "mem.h"
#include "routes.h"

#include <stdlib.h>

/* Whose phone it is: what the model is told, for hangup.by. NULL: nobody's. */
static char *asked_by(struct http_request *request)
{
	const char *extension = http_principal(request)->extension;

	return extension[0] != '\0' ? mem_printf("{\"by\":\"%s\"}", extension) : NULL;
}

/* One leg may be gone before its turn: one success is enough. */
void handle_hang_up(struct http_request *request, void *context)
{
	struct service *service = context;
	struct command command = control_command(request, "Hangup");
	struct control_group *group;
	struct legs legs;
	char *by;

	if (!control_legs(request, &legs))
		return;
	if (legs.count == 0) {
		http_reply_error(request, 409, "not_ringing_yet",
				 "Asterisk has no channel of this call yet");
		return;
	}
	if (!control_is_up(service, request) ||
	    !audit_others_call(service, request, "call:hung_up"))
		return;
	by = asked_by(request);
	command.data = by;
	group = control_group_new(service, request);
	for (size_t i = 0; i < legs.count; i++) {
		if (legs.all[i].local)
			continue;
		command.fields[0].name = "Channel";
		command.fields[0].value = legs.all[i].channel;
		control_group_send(group, &command);
	}
	control_group_release(group);
	free(by);
}

void handle_hang_up_channel(struct http_request *request, void *context)
{
	struct command command = control_command(request, "Hangup");
	const struct call_leg *leg;
	struct legs legs;
	char *by;

	if (!control_legs(request, &legs))
		return;
	leg = control_leg_of(&legs, http_param(request, "uniqueid"));
	if (leg == NULL) {
		http_reply_error(request, 404, "channel_not_found",
				 "the call has no channel of this id now");
		return;
	}
	if (!audit_others_call(context, request, "call:hung_up"))
		return;
	by = asked_by(request);
	command.data = by;
	control_add(&command, "Channel", leg->channel);
	control_send(context, request, &command, NULL);
	free(by);
}
