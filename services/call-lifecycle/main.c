/* call-lifecycle: the state of every call. See README.md. */
#include "daemon.h"
#include "migrations.h"
#include "service.h"
#include "settings.h"

static const struct daemon_definition definition = {
	.name = "call-lifecycle",
	.summary = "the state of every call, and the commands that change it",
	.listen = "127.0.0.1:8102",
	.groups = settings_groups,
	.check = settings_check,
	.open = service_open,
	.drain = service_drain,
	.close = service_close,
	.command = {"--migrate", "VERSION",
		    "bring the database's schema up to date, or to that version, and leave",
		    migrations_command},
};

int main(int argc, char *argv[])
{
	return daemon_main(&definition, argc, argv);
}
