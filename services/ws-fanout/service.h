/* The service: owns the modules. Hooks of struct daemon_definition. */
#ifndef WS_FANOUT_SERVICE_H
#define WS_FANOUT_SERVICE_H

#include "daemon.h"

int service_open(struct daemon *daemon, void **service_r, const char **error_r);
void service_drain(void *service);
void service_close(void *service);

#endif
