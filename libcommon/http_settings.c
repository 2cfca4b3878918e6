#include "http_settings.h"

#define OFFSET(field) SETTING_STRUCT_OFFSET(struct http_settings, field)

const struct setting http_settings_table[] = {
	{"HTTP_LISTEN", SETTING_LISTEN, OFFSET(listen), 0, 0, NULL, NULL, false,
	 "address:port to listen on; [::1]:8101 for IPv6"},
	{"HTTP_CONNECTIONS_MAX", SETTING_NUMBER, OFFSET(connections_max), 1, 65535, "4096", NULL,
	 false, "connections open at once; later ones wait in the kernel"},
	{"HTTP_BODY_MAX", SETTING_NUMBER, OFFSET(body_max), 1024, 64 * 1024 * 1024, "1048576", NULL,
	 false, "bytes of one request body; nginx's client_max_body_size must not exceed it"},
	{"HTTP_REQUEST_DEADLINE_MS", SETTING_NUMBER, OFFSET(request_deadline_ms), 50, 600000,
	 "5000", NULL, false, "reading and answering one request, in ms; past it 504"},
	{NULL, SETTING_TEXT, 0, 0, 0, NULL, NULL, false, NULL}};
