/* Listening to an agent who talks; whispering to the agent alone; speaking to both. */
#include "audit.h"
#include "control.h"
#include "ids.h"
#include "json.h"
#include "mem.h"
#include "originate.h"
#include "reach.h"
#include "routes.h"

#include <stdlib.h>
#include <string.h>

/* ChanSpy: u the channel is named by its uniqueid, q no beep, E until it hangs up, w whisper,
   B barge. */
static const struct {
	const char *mode, *options;
} modes[] = {
	{"listen", "uqE"},
	{"whisper", "uqEw"},
	{"barge", "uqEB"},
};

struct wish {
	const char *mode, *options, *extension,
		*target; /* target NULL: the first agent of the call */
};

static bool refuse(struct http_request *request, const char *field, const char *why)
{
	char *details = mem_printf("{\"field\":\"%s\"}", field);

	http_reply_error_details(request, 400, "invalid_field", details, "%s %s", field, why);
	free(details);
	return false;
}

static bool read_number(const cJSON *item, const char **number_r)
{
	if (item == NULL)
		return true;
	*number_r = cJSON_IsString(item) ? item->valuestring : "";
	return id_is_number(*number_r);
}

static bool read_body(struct http_request *request, struct wish *wish)
{
	const cJSON *body = http_json(request), *item;
	const char *mode = json_get_str(body, "mode");

	*wish = (struct wish){.extension = http_principal(request)->extension};
	for (size_t i = 0; mode != NULL && i < sizeof(modes) / sizeof(modes[0]); i++)
		if (strcmp(modes[i].mode, mode) == 0)
			wish->mode = modes[i].mode, wish->options = modes[i].options;
	if (wish->mode == NULL)
		return refuse(request, "mode", "must be listen, whisper or barge");
	if (!read_number(cJSON_GetObjectItemCaseSensitive(body, "extension"), &wish->extension) ||
	    wish->extension[0] == '\0')
		return refuse(request, "extension", "must be the extension of a phone of yours");
	if (!read_number(cJSON_GetObjectItemCaseSensitive(body, "target"), &wish->target))
		return refuse(request, "target", "must be an extension");
	cJSON_ArrayForEach(item, body)
	{
		if (strcmp(item->string, "mode") != 0 && strcmp(item->string, "extension") != 0 &&
		    strcmp(item->string, "target") != 0) {
			http_reply_error(request, 400, "unknown_field",
					 "the body has a field that is not known here");
			return false;
		}
	}
	return true;
}

/* Whose channel: one of ours that talks, of the supervisor's teams, and not the supervisor's own.
 */
static const struct call_leg *find_target(const struct principal *who, const struct legs *legs,
					  const struct wish *wish)
{
	for (size_t i = 0; i < legs->count; i++) {
		const struct call_leg *leg = &legs->all[i];

		if (!leg->up || leg->peer[0] == '\0' ||
		    !reach_sees(who, PERMISSION_MONITOR_CALLS, leg->extension))
			continue;
		if (wish->target != NULL ? strcmp(leg->extension, wish->target) == 0
					 : strcmp(leg->extension, wish->extension) != 0)
			return leg;
	}
	return NULL;
}

static void supervise(struct service *service, struct http_request *request,
		      const struct wish *wish, const struct call_leg *target)
{
	const struct call_view *view = call_view_of(request);
	char *argument = mem_printf("%s,%s", target->uniqueid, wish->options);
	char *more = mem_printf("\"supervises\":\"%s\",\"mode\":\"%s\"",
				call_view_text(view, "callId"), wish->mode);
	struct originate originate = {
		.pbx = call_view_text(view, "pbx"),
		.from = wish->extension,
		.to = target->extension,
		.application = "ChanSpy",
		.argument = argument,
		.caller_id = target->extension,
		.timeout_ms = ORIGINATE_TIMEOUT_MS,
		.more = more,
	};

	originate_send(service, request, &originate);
	free(argument);
	free(more);
}

void handle_supervise(struct http_request *request, void *context)
{
	struct service *service = context;
	const struct call_leg *target;
	struct wish wish;
	struct legs legs;
	char *detail;

	if (!read_body(request, &wish) || !control_legs(request, &legs))
		return;
	target = find_target(http_principal(request), &legs, &wish);
	if (target == NULL) {
		http_reply_error(request, 409, "not_connected",
				 "no agent to be supervised talks on this call now");
		return;
	}
	if (!control_is_up(service, request))
		return;
	detail = mem_printf("%s %s from %s", wish.mode, target->extension, wish.extension);
	if (audit_call(service, request, "call:supervised", detail))
		supervise(service, request, &wish, target);
	free(detail);
}
