/* ws-fanout: live events to WebSocket clients. See README.md. */
#include "daemon.h"
#include "service.h"
#include "settings.h"

int main(int argc, char *argv[])
{
	static const struct daemon_definition definition = {
		.name = "ws-fanout",
		.summary = "live events to WebSocket clients",
		.listen = "127.0.0.1:8104",
		.groups = fanout_settings_groups,
		.open = service_open,
		.drain = service_drain,
		.close = service_close,
	};

	return daemon_main(&definition, argc, argv);
}
