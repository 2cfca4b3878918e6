/* One TCP connection to a host by name: looked up and connected without blocking the loop. It gives
   bytes until it fails or is closed; for another attempt open another one. */
#ifndef AMI_SOCKET_H
#define AMI_SOCKET_H

#include <stddef.h>
#include <uv.h>

struct ami_socket;

struct ami_socket_hooks {
	void (*on_connected)(void *context);
	/* Borrowed for the call. May close the socket. */
	void (*on_bytes)(const char *data, size_t len, void *context);
	/* Once: it could not connect, or the connection is gone. Close the socket. */
	void (*on_failed)(const char *reason, void *context);
	void *context;
};

/* Of a host with several addresses each attempt tries the next one. NULL when the look-up cannot
   even begin. */
struct ami_socket *ami_socket_open(uv_loop_t *loop, const char *host, const char *port,
				   unsigned attempt, const struct ami_socket_hooks *hooks);
/* Copies data. Returns 0, or -1 when too much waits to be sent. */
int ami_socket_write(struct ami_socket *socket, const char *data, size_t len);
/* No hook is called any more. */
void ami_socket_close(struct ami_socket **socket);

#endif
