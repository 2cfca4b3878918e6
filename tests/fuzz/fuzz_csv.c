/* A record is read to its end, whatever it is; fields stay within their memory. */
#include "csv.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	enum csv_result result;
	size_t line = 0, total;
	struct csv csv;

	csv_open(&csv, (const char *)data, size);
	while ((result = csv_next(&csv)) != CSV_END) {
		if (csv.line <= line)
			abort();
		line = csv.line;
		total = 0;
		for (size_t i = 0; result == CSV_RECORD && i < csv.count; i++)
			total += strlen(csv.fields[i]) + 1;
		if (total > size + 1)
			abort();
	}
	csv_close(&csv);
	return 0;
}
