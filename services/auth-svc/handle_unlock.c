/* POST /api/users/{id}/unlock: the user's wrong passwords are forgotten; nobody has to wait. */
#include "audit.h"
#include "mem.h"
#include "replies.h"
#include "routes.h"
#include "service.h"
#include "users.h"

#include <stdlib.h>

struct unlock {
	struct service *service;
	struct http_request *request;
};

static void on_forgotten(bool ok, void *context)
{
	struct unlock *unlock = context;
	const struct user *user = http_user(unlock->request);

	if (ok) {
		audit_act(unlock->service->audit, unlock->request, "user:unlocked", user->username,
			  NULL, false);
		http_reply_json(unlock->request, 204, NULL);
	} else {
		reply_unavailable(unlock->request);
	}
	free(unlock);
}

void handle_user_unlock(struct http_request *request, void *context)
{
	struct service *service = context;
	const struct user *user = http_user(request);
	struct unlock *unlock = mem_new(struct unlock);

	*unlock = (struct unlock){service, request};
	store_forget_attempts(service->store, user->username, on_forgotten, unlock);
}
