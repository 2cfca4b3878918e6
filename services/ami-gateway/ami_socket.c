#include "ami_socket.h"

#include "mem.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define UNSENT_MAX ((size_t)1 << 20)
#define READ_SIZE  ((size_t)64 * 1024)

/* Lives until its handle is closed and the look-up has come back. */
struct ami_socket {
	uv_tcp_t tcp;
	uv_getaddrinfo_t lookup;
	uv_connect_t connect;
	struct ami_socket_hooks hooks;
	struct addrinfo *addresses;
	unsigned attempt;
	bool is_looking, is_closed, handle_gone;
	char input[READ_SIZE];
};

struct writing {
	uv_write_t write;
	char data[];
};

static void release(struct ami_socket *socket)
{
	if (!socket->handle_gone || socket->is_looking)
		return;
	uv_freeaddrinfo(socket->addresses);
	free(socket);
}

static void fail(struct ami_socket *socket, int error)
{
	if (!socket->is_closed)
		socket->hooks.on_failed(error == UV_EOF ? "the server closed the connection"
							: uv_strerror(error),
					socket->hooks.context);
}

static void on_alloc(uv_handle_t *handle, size_t size, uv_buf_t *out)
{
	struct ami_socket *socket = handle->data;

	(void)size;
	*out = uv_buf_init(socket->input, READ_SIZE);
}

static void on_read(uv_stream_t *stream, ssize_t got, const uv_buf_t *bytes)
{
	struct ami_socket *socket = stream->data;

	if (got > 0 && !socket->is_closed)
		socket->hooks.on_bytes(bytes->base, (size_t)got, socket->hooks.context);
	else if (got < 0)
		fail(socket, (int)got);
}

static void on_connected(uv_connect_t *request, int status)
{
	struct ami_socket *socket = request->data;

	if (socket->is_closed)
		return;
	if (status != 0) {
		fail(socket, status);
		return;
	}
	uv_tcp_nodelay(&socket->tcp, 1);
	socket->hooks.on_connected(socket->hooks.context);
	if (!socket->is_closed)
		uv_read_start((uv_stream_t *)&socket->tcp, on_alloc, on_read);
}

static const struct sockaddr *choose_address(const struct ami_socket *socket)
{
	const struct addrinfo *at = socket->addresses;
	unsigned count = 0;

	for (; at != NULL; at = at->ai_next)
		count++;
	if (count == 0)
		return NULL;
	at = socket->addresses;
	for (unsigned skip = socket->attempt % count; skip > 0; skip--)
		at = at->ai_next;
	return at->ai_addr;
}

static void on_looked_up(uv_getaddrinfo_t *request, int status, struct addrinfo *addresses)
{
	struct ami_socket *socket = request->data;
	const struct sockaddr *address;

	socket->is_looking = false;
	socket->addresses = addresses;
	if (socket->is_closed) {
		release(socket);
		return;
	}
	address = choose_address(socket);
	if (status == 0)
		status = address == NULL ? UV_EAI_NONAME
					 : uv_tcp_connect(&socket->connect, &socket->tcp, address,
							  on_connected);
	if (status != 0)
		fail(socket, status);
}

struct ami_socket *ami_socket_open(uv_loop_t *loop, const char *host, const char *port,
				   unsigned attempt, const struct ami_socket_hooks *hooks)
{
	struct ami_socket *socket = mem_new(struct ami_socket);
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM};

	socket->hooks = *hooks;
	socket->attempt = attempt;
	socket->tcp.data = socket->lookup.data = socket->connect.data = socket;
	uv_tcp_init(loop, &socket->tcp);
	socket->is_looking =
		uv_getaddrinfo(loop, &socket->lookup, on_looked_up, host, port, &hints) == 0;
	if (socket->is_looking)
		return socket;
	ami_socket_close(&socket);
	return NULL;
}

static void on_written(uv_write_t *write, int status)
{
	(void)status; /* the read side says when the connection is gone */
	free(write->data);
}

int ami_socket_write(struct ami_socket *socket, const char *data, size_t len)
{
	uv_stream_t *stream = (uv_stream_t *)&socket->tcp;
	struct writing *writing;
	uv_buf_t bytes;

	if (uv_stream_get_write_queue_size(stream) + len > UNSENT_MAX)
		return -1;
	writing = mem_alloc(sizeof(*writing) + len);
	memcpy(writing->data, data, len);
	writing->write.data = writing;
	bytes = uv_buf_init(writing->data, (unsigned)len);
	if (uv_write(&writing->write, stream, &bytes, 1, on_written) == 0)
		return 0;
	free(writing);
	return -1;
}

static void on_closed(uv_handle_t *handle)
{
	struct ami_socket *socket = handle->data;

	socket->handle_gone = true;
	release(socket);
}

void ami_socket_close(struct ami_socket **_socket)
{
	struct ami_socket *socket = *_socket;

	*_socket = NULL;
	if (socket == NULL)
		return;
	socket->is_closed = true;
	if (socket->is_looking)
		uv_cancel((uv_req_t *)&socket->lookup);
	uv_close((uv_handle_t *)&socket->tcp, on_closed);
}
