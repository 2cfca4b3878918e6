/* Entries of every stream that transfer-svc reads: any bytes, and what they say to a transfer. */
#include "dispatch.h"
#include "store.h"

#include "mem.h"

#include <stdlib.h>
#include <string.h>

static const struct limits limits = {1000, 1000, 1000, 1000};

static void feed(const char *stream, const char *data, size_t len)
{
	const struct stream_entry entry = {stream, "1-1", data, len, false};
	struct transfer transfer = {.mode = MODE_ASKING, .id = "t"};
	struct decision decision;
	struct news news;

	dispatch(&entry, &news);
	if (news.kind == NEWS_SIGNAL || news.kind == NEWS_OF_CALL) {
		decide_begin(&transfer, STATE_ANSWERED, &limits, 1);
		decide(&transfer, &news.signal, &limits, 2, &decision);
	}
	cJSON_Delete(news.tree);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = mem_strndup((const char *)data, size);

	feed("events:ami:main", text, size);
	feed(STORE_CALL_EVENT, text, size);
	feed(STORE_REPLIES, text, size);
	free(text);
	return 0;
}
