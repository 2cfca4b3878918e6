#include "probe.h"

struct redis_settings probe_redis;

static const struct settings_group groups[] = {{redis_settings_table, &probe_redis}, {NULL, NULL}};

int main(int argc, char *argv[])
{
	static const struct daemon_definition definition = {
		.name = "http-probe",
		.summary = "one route for each thing that the HTTP library does",
		.listen = "127.0.0.1:8109",
		.groups = groups,
		.open = probe_open,
		.close = probe_close,
	};

	return daemon_main(&definition, argc, argv);
}
