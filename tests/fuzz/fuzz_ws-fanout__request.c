/* The head of a request on any bytes: fed whole, as the socket would after its blank line. What is
   accepted as a WebSocket must have all that the answer is made of. */
#include "deflate.h"
#include "handshake.h"
#include "mem.h"
#include "offset.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static void check_accepted(const struct request *request)
{
	struct buffer out = {0};

	if (strlen(request->key) != 24 || request->host[0] == '\0')
		abort();
	handshake_accept(request, deflate_is_offered(request->extensions), &out);
	if (request_head_len(out.data, out.len) != out.len)
		abort();
	buffer_free(&out);
}

static void check_query(const struct request *request)
{
	char value[16];
	struct positions positions;

	if (request_query(request, "sid", value, sizeof(value)) && strlen(value) >= sizeof(value))
		abort();
	if (request_query(request, "since", value, sizeof(value)))
		(void)offset_parse(value, &positions);
}

static void check(const char *bytes, size_t head_len)
{
	struct request request;
	struct buffer out = {0};
	const struct request_refusal *refusal = request_parse(bytes, head_len, &request);

	if (refusal == NULL) {
		(void)request_origin_allowed(&request, "https://a.example *.example null");
		check_query(&request);
		refusal = handshake_check(&request);
		if (refusal == NULL)
			check_accepted(&request);
	}
	if (refusal != NULL)
		handshake_refuse(refusal, &out);
	buffer_free(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *bytes = mem_alloc(size); /* exact, so that a read past it shows */
	size_t head_len;

	if (size > 0)
		memcpy(bytes, data, size);
	head_len = request_head_len(bytes, size);
	if (head_len > size)
		abort();
	if (head_len > 0)
		check(bytes, head_len);
	free(bytes);
	return 0;
}
