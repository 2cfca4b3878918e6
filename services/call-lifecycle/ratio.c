#include "ratio.h"

#include <stdio.h>
#include <string.h>

void ratio_write(struct json_writer *writer, const char *key, int64_t part, int64_t whole)
{
	char text[32];

	json_key(writer, key);
	if (whole <= 0) {
		json_null(writer);
		return;
	}
	snprintf(text, sizeof(text), "%.4f", (double)part / (double)whole);
	json_raw(writer, text, strlen(text));
}

void mean_write(struct json_writer *writer, const char *key, int64_t sum, int64_t count)
{
	json_key(writer, key);
	if (count > 0)
		json_int(writer, sum / count);
	else
		json_null(writer);
}
