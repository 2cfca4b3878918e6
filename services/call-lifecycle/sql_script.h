/* A file of SQL that is built into the binary, as statements for sql_transaction(). */
#ifndef LIFECYCLE_SQL_SCRIPT_H
#define LIFECYCLE_SQL_SCRIPT_H

#include <stddef.h>

#define SQL_SCRIPT_MAX 24

/* The text of sql/<name>.sql, ended by a NUL, as <symbol>. Both are pasted into text:
   NOLINTBEGIN(bugprone-macro-parentheses) */
#define SQL_SCRIPT_EMBED(symbol, name)                                                             \
	__asm__(".section .rodata\n" #symbol ": .incbin \"services/call-lifecycle/sql/" name       \
		".sql\"\n"                                                                         \
		".byte 0\n"                                                                        \
		".previous\n");                                                                    \
	extern const char symbol[]
/* NOLINTEND(bugprone-macro-parentheses) */

/* Statements that are parted by ";\n"; they stay until the process ends. */
struct sql_script {
	const char *statements[SQL_SCRIPT_MAX];
	size_t count;
};

/* Fills an empty script; does nothing for one that is filled. */
void sql_script_load(struct sql_script *script, const char *text);

#endif
