/* auth-svc: logins, sessions, users. See README.md. */
#include "daemon.h"
#include "migrations.h"
#include "service.h"
#include "settings.h"

static const struct daemon_definition definition = {
	.name = "auth-svc",
	.summary = "logins, sessions, users",
	.listen = "127.0.0.1:8103",
	.groups = settings_groups,
	.check = settings_check,
	.open = service_open,
	.close = service_close,
	.command = {"--migrate", "VERSION",
		    "bring the database's schema up to date, or to that version, and leave",
		    migrations_command},
};

int main(int argc, char *argv[])
{
	return daemon_main(&definition, argc, argv);
}
