/* crm-data-svc: customers, and what was said to them. See README.md. */
#include "daemon.h"
#include "service.h"
#include "settings.h"

static const struct daemon_definition definition = {
	.name = "crm-data-svc",
	.summary = "customers: clients, interactions, notes, messages",
	.listen = "127.0.0.1:8107",
	.groups = settings_groups,
	.check = settings_check,
	.open = service_open,
	.drain = service_drain,
	.close = service_close,
};

int main(int argc, char *argv[])
{
	return daemon_main(&definition, argc, argv);
}
