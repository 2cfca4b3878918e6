/* Whatever stands in an entry: the scanner keeps its bounds, takes all that a strict reader of JSON
   takes for an object that names its event first, and gives only valid texts. */
#include "entry.h"

#include "json.h"
#include "utf8.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_texts(struct entry *entry, bool utf8)
{
	for (int field = 0; field < ENTRY_FIELDS; field++) {
		const char *text = entry_text(entry, (enum entry_field)field);

		if (text != NULL && (text[0] == '\0' || strlen(text) >= ENTRY_TEXT_MAX))
			abort();
		if (text != NULL && utf8 && !utf8_valid(text, strlen(text)))
			abort();
	}
}

/* cJSON takes any control byte for a blank. */
static bool has_control_bytes(const uint8_t *data, size_t size)
{
	for (size_t i = 0; i < size; i++)
		if (data[i] < 0x20 && strchr("\t\r\n", data[i]) == NULL)
			return true;
	return memchr(data, 0, size) != NULL;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct entry entry;
	char *copy = malloc(size + 1);
	const char *error = NULL;
	cJSON *tree;
	bool taken;

	memcpy(copy, data, size);
	copy[size] = '\0';
	tree = json_parse(copy, size, &error);
	taken = entry_begin(&entry, copy, size) == 0 && entry_finish(&entry) == 0;
	if (taken)
		check_texts(&entry, utf8_valid(copy, size));
	if (!taken && !has_control_bytes(data, size) && cJSON_IsObject(tree) &&
	    tree->child != NULL && strcmp(tree->child->string, "Event") == 0 &&
	    cJSON_IsString(tree->child))
		abort();
	cJSON_Delete(tree);
	free(copy);
	return 0;
}
