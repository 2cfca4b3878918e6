/* Any bytes through the strict JSON reader and the UTF-8 repairing writer: what the writer makes of
   them must always be read again. */
#include "json.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void write_and_read_back(const char *bytes, size_t size)
{
	struct buffer out = {0};
	struct json_writer writer = json_writer_init(&out);
	const char *error;
	cJSON *tree;

	json_begin_array(&writer);
	json_strn(&writer, bytes, size);
	json_end_array(&writer);
	tree = json_parse(buffer_str(&out), out.len, &error);
	if (!tree && !memchr(bytes, '\0', size))
		abort();
	cJSON_Delete(tree);
	buffer_free(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *error = NULL;
	cJSON *tree = json_parse((const char *)data, size, &error);

	if (!tree == !error)
		abort();
	cJSON_Delete(tree);
	write_and_read_back((const char *)data, size);
	return 0;
}
