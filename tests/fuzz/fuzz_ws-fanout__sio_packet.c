/* The body of a poll on any bytes: cut into packets of Engine.IO, each read as one of Socket.IO;
   and what a client brings to be recovered. */
#include "json.h"
#include "mem.h"
#include "recovery.h"
#include "sio_packet.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static void check_packet(const char *text, size_t len)
{
	struct sio_packet packet;

	if (!sio_packet_parse(text, len, &packet))
		return;
	if (packet.type > SIO_CONNECT_ERROR || packet.nsp[0] != '/' ||
	    strspn(packet.id, "0123456789") != strlen(packet.id) || packet.data < text ||
	    packet.data + packet.len != text + len)
		abort();
}

static void check_recovery(const char *text, size_t len)
{
	static const struct entry_id at[TOPIC_COUNT];
	struct recovery_id id = {0};
	const char *error;
	cJSON *auth = json_parse(text, len, &error);

	if (cJSON_IsObject(auth)) {
		recovery_read(&id, auth);
		recovery_begin(&id, at);
		if (id.pid[0] == '\0' || id.sid[0] == '\0')
			abort();
	}
	cJSON_Delete(auth);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *bytes = mem_alloc(size); /* exact, so that a read past it shows */
	const char *rest = bytes, *packet;
	size_t rest_len = size, len, seen = 0;

	if (size > 0)
		memcpy(bytes, data, size);
	while (eio_next_packet(&rest, &rest_len, &packet, &len)) {
		seen += len + 1;
		check_packet(packet, len);
		if (len > 0)
			check_recovery(packet + 1, len - 1);
	}
	if (seen != size + 1)
		abort();
	free(bytes);
	return 0;
}
