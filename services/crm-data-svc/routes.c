#include "routes.h"

/* What every kind of record has; see kinds.c. */
#define RECORDS(path, view, edit)                                                                  \
	{"POST", path, handle_record_create, edit, NULL, HTTP_JSON_BODY | HTTP_IDEMPOTENT},        \
		{"GET", path, handle_record_list, view, guard_list, 0},                            \
		{"GET", path "/{id}", handle_record_get, view, NULL, 0},                           \
		{"PATCH", path "/{id}", handle_record_change, edit, NULL, HTTP_JSON_BODY},         \
		{"DELETE", path "/{id}", handle_record_delete, edit, NULL, 0},                     \
		{"POST", path "/{id}/restore", handle_record_restore, edit, NULL, 0},              \
	{                                                                                          \
		"GET", path "/{id}/history", handle_record_history, view, NULL, 0                  \
	}

const struct http_route routes[] = {
	RECORDS("/api/crm/clients", PERMISSION_VIEW_CLIENTS, PERMISSION_EDIT_CLIENTS),
	RECORDS("/api/crm/contacts", PERMISSION_VIEW_CLIENTS, PERMISSION_EDIT_CLIENTS),
	RECORDS("/api/crm/interactions", PERMISSION_VIEW_CLIENTS, PERMISSION_EDIT_CLIENTS),
	RECORDS("/api/crm/notes", PERMISSION_VIEW_CLIENTS, PERMISSION_EDIT_CLIENTS),
	RECORDS("/api/crm/posts", PERMISSION_VIEW_CLIENTS, PERMISSION_ALL_CLIENTS),
	RECORDS("/api/crm/callbacks", PERMISSION_VIEW_CLIENTS, PERMISSION_EDIT_CLIENTS),
	RECORDS("/api/crm/dispositions", PERMISSION_VIEW_CLIENTS, PERMISSION_MANAGE_CLIENTS),
	RECORDS("/api/crm/fields", PERMISSION_VIEW_CLIENTS, PERMISSION_MANAGE_CLIENTS),
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
	{"GET", "/api/crm/clients/{id}/personal-data", handle_personal_data,
	 PERMISSION_MANAGE_CLIENTS, NULL, 0},
	{"POST", "/api/crm/clients/{id}/erase", handle_erase, PERMISSION_MANAGE_CLIENTS, NULL, 0},
	{"GET", "/api/crm/clients/{id}/audit", handle_audit, PERMISSION_MANAGE_CLIENTS, NULL, 0},
	{"GET", "/api/crm/analytics", handle_analytics, PERMISSION_ALL_CLIENTS, NULL, 0},
	{0},
};
