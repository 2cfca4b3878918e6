#include "agent_news.h"

#include "log.h"
#include "mem.h"
#include "service.h"
#include "settings.h"
#include "store_agent.h"

#include <stdlib.h>
#include <string.h>

/* Asterisk finds a new endpoint by itself, but its state for queues and hints only when it is told
   to look; and new places in a queue when somebody asks for the queue. queues: NULL for none. */
static void tell_asterisk(struct service *service, struct http_request *request,
			  const char *extension, const char *queues)
{
	const char *request_id = http_request_id(request);
	char *command = mem_printf("pjsip reload qualify endpoint %s", extension);

	store_add_action(service->store, settings_pbxs(), "Command", "Command", command,
			 request_id);
	free(command);
	while (queues != NULL && *queues != '\0') {
		size_t len = strcspn(queues, ",");
		char *name = mem_strndup(queues, len);

		store_add_action(service->store, settings_pbxs(), "QueueStatus", "Queue", name,
				 request_id);
		free(name);
		queues += len + (queues[len] == ',');
	}
}

static void note(struct service *service, struct http_request *request, const char *action,
		 const struct user *user)
{
	audit_act(service->audit, request, action, user->username, user->extension, true);
	log_info(action, log_str("username", user->username), log_str("extension", user->extension),
		 log_str("by", http_principal(request)->username),
		 log_str("request_id", http_request_id(request)));
	teams_publish(service->teams);
}

void agent_made(struct service *service, struct http_request *request, const struct agent *agent)
{
	service->metrics.auth_users_created_total++;
	note(service, request, "agent:created", &agent->user);
	tell_asterisk(service, request, agent->user.extension, agent->queues);
}

void agent_changed(struct service *service, struct http_request *request, const struct agent *agent)
{
	note(service, request, "agent:changed", &agent->user);
	tell_asterisk(service, request, agent->user.extension, agent->queues);
}

void agent_removed(struct service *service, struct http_request *request, const struct user *user)
{
	note(service, request, "agent:removed", user);
	store_agent_forget(service->store, user->extension);
	tell_asterisk(service, request, user->extension, NULL);
}

void write_sip(struct json_writer *json, const char *extension, const char *secret)
{
	json_key(json, "sip");
	json_begin_object(json);
	json_field_str(json, "username", extension);
	json_field_str(json, "password", secret);
	json_field_str(json, "transport", settings.auth.sip_transport);
	json_end_object(json);
}
