/* Hold, unhold. */
#include "control.h"
#include "routes.h"

#include <string.h>

void handle_hold(struct http_request *request, void *context)
{
	struct command command = control_command(request, "Redirect");
	const struct call_leg *own, *other;
	struct legs legs;

	if (!control_pair(request, &legs, &own, &other))
		return;
	if (strcmp(own->hold, "suite") == 0) {
		http_reply_error(request, 409, "already_held", "the call is on hold");
		return;
	}
	control_add(&command, "Channel", own->channel);
	control_add(&command, "ExtraChannel", other->channel);
	control_add(&command, "Context", "mayday-hold");
	control_add(&command, "Exten", "agent");
	control_add(&command, "Priority", "1");
	control_add(&command, "ExtraContext", "mayday-hold");
	control_add(&command, "ExtraExten", "customer");
	control_add(&command, "ExtraPriority", "1");
	control_send(context, request, &command, NULL);
}

void handle_unhold(struct http_request *request, void *context)
{
	struct command command = control_command(request, "Bridge");
	const struct call_leg *own, *other;
	struct legs legs;

	if (!control_pair(request, &legs, &own, &other))
		return;
	if (strcmp(own->hold, "suite") != 0 && strcmp(other->hold, "suite") != 0) {
		http_reply_error(request, 409, "not_held",
				 own->hold[0] != '\0' || other->hold[0] != '\0'
					 ? "the phone holds the call: only it can take it back"
					 : "the call is not on hold");
		return;
	}
	control_add(&command, "Channel1", own->channel);
	control_add(&command, "Channel2", other->channel);
	control_add(&command, "Tone", "no");
	control_send(context, request, &command, NULL);
}
