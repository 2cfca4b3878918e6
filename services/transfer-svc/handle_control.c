/* Complete, cancel, toggle, conference: commands for a transfer under way. */
#include "body.h"
#include "clock.h"
#include "mem.h"
#include "replies.h"
#include "routes.h"
#include "service.h"

#include <stdlib.h>

struct asked {
	struct redis_link *link;
	struct http_request *request;
	const char *action; /* as the audit names it */
};

static bool may(const struct transfer *transfer, void *context)
{
	const struct asked *asked = context;

	return may_touch(http_principal(asked->request), transfer);
}

static void on_done(enum engine_result result, const struct transfer *transfer, const char *other,
		    void *context)
{
	struct asked *asked = context;

	reply_done(asked->link, asked->request, asked->action, result, transfer, other);
	free(asked);
}

static void command(struct service *service, struct http_request *request, const char *id,
		    enum transfer_input input, const char *action)
{
	struct signal signal = signal_empty;
	struct asked *asked;

	if (!body_is_call(id)) {
		reply_result(request, ENGINE_NOT_FOUND, NULL, "");
		return;
	}
	asked = mem_new(struct asked);
	*asked = (struct asked){service->link, request, action};
	signal.input = input;
	signal.at = clock_wall_ms();
	engine_feed(service->engine, id, &signal, may, on_done, asked);
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
		command(context, request, values[0].text, INPUT_COMPLETE, "transfer:completed");
}

void handle_cancel(struct http_request *request, void *context)
{
	command(context, request, http_param(request, "transferId"), INPUT_CANCEL,
		"transfer:cancelled");
}

void handle_toggle(struct http_request *request, void *context)
{
	command(context, request, http_param(request, "transferId"), INPUT_TOGGLE,
		"transfer:toggled");
}

void handle_conference(struct http_request *request, void *context)
{
	command(context, request, http_param(request, "transferId"), INPUT_CONFERENCE,
		"transfer:joined");
}
