/* Hold, unhold, transfer. */
#include "control.h"
#include "ids.h"
#include "json.h"
#include "routes.h"

#include <string.h>

/* ---- hold ---- */

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
	struct command command = control_command(request, "Redirect");
	const struct call_leg *own, *other;
	const char *target;
	struct legs legs;

	if (!read_target(request, &target) || !control_pair(request, &legs, &own, &other))
		return;
	control_add(&command, "Channel", other->channel);
	control_add(&command, "Context", settings.lifecycle.context);
	control_add(&command, "Exten", target);
	control_add(&command, "Priority", "1");
	control_send(context, request, &command, NULL);
}
