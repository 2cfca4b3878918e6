#include "service.h"

static const struct daemon_definition definition = {
	.name = "ami-gateway",
	.summary = "Asterisk's manager interface to and from Redis streams",
	.listen = "127.0.0.1:8101",
	.groups = gateway_settings_groups,
	.check = gateway_settings_check,
	.open = service_open,
	.drain = service_drain,
	.close = service_close,
};

int main(int argc, char *argv[])
{
	return daemon_main(&definition, argc, argv);
}
