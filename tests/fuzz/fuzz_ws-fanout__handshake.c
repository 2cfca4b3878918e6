/* The opening handshake on any bytes: fed whole, as the socket would after its blank line. What is
   accepted must have all that the answer is made of. */
#include "handshake.h"
#include "mem.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static void check_accepted(const struct handshake *handshake)
{
	struct buffer out = {0};

	if (strcmp(handshake->path, HANDSHAKE_PATH) != 0 || strlen(handshake->key) != 24 ||
	    handshake->host[0] == '\0')
		abort();
	(void)handshake_origin_allowed(handshake, "https://a.example *.example null");
	handshake_accept(handshake, &out);
	if (handshake_head_len(out.data, out.len) != out.len)
		abort();
	buffer_free(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *bytes = mem_alloc(size); /* exact, so that a read past it shows */
	struct handshake handshake;
	struct buffer out = {0};
	size_t head_len;

	if (size > 0)
		memcpy(bytes, data, size);
	head_len = handshake_head_len(bytes, size);
	if (head_len > size)
		abort();
	if (head_len > 0) {
		const struct handshake_refusal *refusal =
			handshake_parse(bytes, head_len, &handshake);
		if (refusal == NULL)
			check_accepted(&handshake);
		else
			handshake_refuse(refusal, &out);
	}
	buffer_free(&out);
	free(bytes);
	return 0;
}
