/* Whatever bytes Asterisk or someone in its place sends, however they are cut: the parser keeps its
   bounds, and every message becomes JSON that a strict reader takes. The first byte of the input
   chooses where the rest is cut. */
#include "ami_json.h"

#include "json.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct run {
	struct buffer json;
	uint64_t messages;
	uint64_t hash; /* of all messages: must not depend on the cuts */
};

static void check_json(const struct buffer *json)
{
	const char *error = NULL;
	cJSON *tree = json_parse(json->data, json->len, &error);

	if (tree == NULL || tree->type != cJSON_Object)
		abort();
	cJSON_Delete(tree);
}

static void on_message(const struct ami_message *message, void *context)
{
	struct run *run = context;

	if (message->count == 0 || message->count > AMI_HEADERS_MAX)
		abort();
	buffer_clear(&run->json);
	ami_json_event(message, 1, run->messages++, &run->json);
	check_json(&run->json);
	for (size_t i = 0; i < run->json.len; i++)
		run->hash = (run->hash ^ (unsigned char)run->json.data[i]) * 0x100000001B3ULL;
}

static uint64_t parse(const uint8_t *data, size_t size, size_t step)
{
	struct run run = {0};
	struct ami_parser *parser = ami_parser_new(on_message, &run);

	for (size_t at = 0; at < size; at += step) {
		size_t part = size - at < step ? size - at : step;
		char *copy = malloc(part);

		memcpy(copy, data + at, part);
		ami_parser_feed(parser, copy, part);
		free(copy);
	}
	ami_parser_free(&parser);
	buffer_free(&run.json);
	return run.hash;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 2)
		return 0;
	if (parse(data + 1, size - 1, 1 + data[0]) != parse(data + 1, size - 1, size))
		abort();
	return 0;
}
