#include "sql_script.h"

#include "mem.h"

#include <assert.h>
#include <string.h>

void sql_script_load(struct sql_script *script, const char *text)
{
	if (script->count > 0)
		return;
	while (*(text += strspn(text, " \t\r\n")) != '\0') {
		const char *end = strstr(text, ";\n");
		size_t len = end != NULL ? (size_t)(end - text) : strlen(text);

		assert(script->count < SQL_SCRIPT_MAX);
		script->statements[script->count++] = mem_strndup(text, len);
		text += end != NULL ? len + 2 : len;
	}
}
