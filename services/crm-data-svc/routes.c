#include "routes.h"

#include "cache.h"
#include "service.h"

#include <string.h>

/* What every kind of record has; see kinds.c. */
#define RECORDS(path, get, view, edit)                                                             \
	{"POST", path, handle_record_create, edit, NULL, HTTP_JSON_BODY | HTTP_IDEMPOTENT},        \
		{"GET", path, handle_record_list, view, guard_list, 0},                            \
		{"GET", path "/{id}", get, view, NULL, 0},                                         \
		{"PATCH", path "/{id}", handle_record_change, edit, NULL, HTTP_JSON_BODY},         \
		{"DELETE", path "/{id}", handle_record_delete, edit, NULL, 0},                     \
		{"POST", path "/{id}/restore", handle_record_restore, edit, NULL, 0},              \
	{                                                                                          \
		"GET", path "/{id}/history", handle_record_history, view, NULL, 0                  \
	}

const struct http_route routes[] = {
	RECORDS("/api/crm/clients", handle_client_get, PERMISSION_VIEW_CLIENTS,
		PERMISSION_EDIT_CLIENTS),
	RECORDS("/api/crm/contacts", handle_record_get, PERMISSION_VIEW_CLIENTS,
		PERMISSION_EDIT_CLIENTS),
	RECORDS("/api/crm/interactions", handle_record_get, PERMISSION_VIEW_CLIENTS,
		PERMISSION_EDIT_CLIENTS),
	RECORDS("/api/crm/notes", handle_record_get, PERMISSION_VIEW_CLIENTS,
		PERMISSION_EDIT_CLIENTS),
	RECORDS("/api/crm/posts", handle_record_get, PERMISSION_VIEW_CLIENTS,
		PERMISSION_ALL_CLIENTS),
	RECORDS("/api/crm/callbacks", handle_record_get, PERMISSION_VIEW_CLIENTS,
		PERMISSION_EDIT_CLIENTS),
	RECORDS("/api/crm/dispositions", handle_record_get, PERMISSION_VIEW_CLIENTS,
		PERMISSION_MANAGE_CLIENTS),
	RECORDS("/api/crm/fields", handle_record_get, PERMISSION_VIEW_CLIENTS,
		PERMISSION_MANAGE_CLIENTS),
	{"POST", "/api/crm/messages", handle_message_send, PERMISSION_EDIT_CLIENTS, NULL,
	 HTTP_JSON_BODY | HTTP_IDEMPOTENT},
	{"GET", "/api/crm/messages", handle_record_list, PERMISSION_VIEW_CLIENTS, guard_list, 0},
	{"GET", "/api/crm/messages/{id}", handle_record_get, PERMISSION_VIEW_CLIENTS, NULL, 0},
	{"GET", "/api/crm/messages/{id}/history", handle_record_history, PERMISSION_VIEW_CLIENTS,
	 NULL, 0},
	{"GET", "/api/crm/whatsapp/webhook", handle_whatsapp_verify, PERMISSION_NONE, NULL,
	 HTTP_PUBLIC},
	{"POST", "/api/crm/whatsapp/webhook", handle_whatsapp_webhook, PERMISSION_NONE, NULL,
	 HTTP_PUBLIC},
	{"GET", "/api/crm/lookup", handle_lookup, PERMISSION_VIEW_CLIENTS, guard_lookup, 0},
	{"GET", "/api/crm/search", handle_search, PERMISSION_VIEW_CLIENTS, guard_list, 0},
	{"POST", "/api/crm/clients/{id}/merge", handle_merge, PERMISSION_ALL_CLIENTS, NULL,
	 HTTP_JSON_BODY},
	{"POST", "/api/crm/merges/{id}/undo", handle_merge_undo, PERMISSION_ALL_CLIENTS, NULL, 0},
	{"GET", "/api/crm/clients/{id}/merges", handle_merge_list, PERMISSION_ALL_CLIENTS, NULL, 0},
	{"GET", "/api/crm/clients/{id}/duplicates", handle_duplicates, PERMISSION_VIEW_CLIENTS,
	 guard_lookup, 0},
	{"GET", "/api/crm/clients/{id}/personal-data", handle_personal_data,
	 PERMISSION_MANAGE_CLIENTS, NULL, 0},
	{"POST", "/api/crm/clients/{id}/erase", handle_erase, PERMISSION_MANAGE_CLIENTS, NULL, 0},
	{"GET", "/api/crm/clients/{id}/audit", handle_audit, PERMISSION_MANAGE_CLIENTS, NULL, 0},
	{"GET", "/api/crm/analytics", handle_analytics, PERMISSION_ALL_CLIENTS, NULL, 0},
	{"POST", "/api/crm/imports", handle_import, PERMISSION_MANAGE_CLIENTS, NULL,
	 HTTP_IDEMPOTENT},
	{"POST", "/api/crm/exports", handle_export, PERMISSION_MANAGE_CLIENTS, NULL,
	 HTTP_IDEMPOTENT},
	{"GET", "/api/crm/jobs", handle_job_list, PERMISSION_MANAGE_CLIENTS, NULL, 0},
	{"GET", "/api/crm/jobs/{id}", handle_job_get, PERMISSION_MANAGE_CLIENTS, NULL, 0},
	{"POST", "/api/crm/jobs/{id}/cancel", handle_job_cancel, PERMISSION_MANAGE_CLIENTS, NULL,
	 0},
	{"GET", "/api/crm/jobs/{id}/errors", handle_job_errors, PERMISSION_MANAGE_CLIENTS, NULL, 0},
	{"GET", "/api/crm/jobs/{id}/result", handle_job_result, PERMISSION_MANAGE_CLIENTS, NULL, 0},
	{0},
};

/* Redis answers in order: when the session is there, the client is. Nothing of it leaves before the
   session and the caller's teams were looked at. */
void routes_authenticate(struct http_request *request, void *_service)
{
	struct service *service = _service;

	if (http_route(request)->handler == handle_client_get)
		cache_ask(service->cache, request);
	auth_http(request, service->auth);
}
