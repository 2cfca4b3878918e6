/* Complete, cancel, toggle, conference: commands for a transfer under way. */
#include "body.h"
#include "clock.h"
#include "mem.h"
#include "replies.h"
#include "routes.h"
#include "service.h"

#include <stdlib.h>

static bool may(const struct transfer *transfer, void *request)
{
	return may_touch(http_principal(request), transfer);
}

static void on_done(enum engine_result result, const struct transfer *transfer, const char *other,
		    void *request)
{
	reply_result(request, result, transfer, other);
}

static void command(struct service *service, struct http_request *request, const char *id,
		    enum transfer_input input)
{
	struct signal signal = signal_empty;

	signal.input = input;
	signal.at = clock_wall_ms();
	if (!body_is_call(id))
		reply_result(request, ENGINE_NOT_FOUND, NULL, "");
	else
		engine_feed(service->engine, id, &signal, may, on_done, request);
}

void handle_complete(struct http_request *request, void *context)
{
	static const struct body_field fields[] = {
		{"transferId", BODY_TEXT, true, 0, 0, body_is_call,
		 "transferId must be the id of a transfer"},
		{0},
	};
	struct body_value values[1];

	if (body_read(request, fields, values))
		command(context, request, values[0].text, INPUT_COMPLETE);
}

void handle_cancel(struct http_request *request, void *context)
{
	command(context, request, http_param(request, "transferId"), INPUT_CANCEL);
}

void handle_toggle(struct http_request *request, void *context)
{
	command(context, request, http_param(request, "transferId"), INPUT_TOGGLE);
}

void handle_conference(struct http_request *request, void *context)
{
	command(context, request, http_param(request, "transferId"), INPUT_CONFERENCE);
}
