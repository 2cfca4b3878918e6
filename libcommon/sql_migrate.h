/* Versioned schema changes: each runs once, in order, recorded in schema_migrations (component,
   version, name, checksum, applied_at), and can be taken back where it has a way back. Safe to
   repeat and to run from several processes at once (GET_LOCK). Blocks: for a start-up step or
   --migrate only. */
#ifndef COMMON_SQL_MIGRATE_H
#define COMMON_SQL_MIGRATE_H

#include "sql_settings.h"

struct sql_migration {
	int version;      /* counts from 1 */
	const char *name; /* NULL ends the list */
	const char *sql;  /* statements parted by ";\n" */
	const char *back; /* those that undo it; NULL: it cannot be taken back */
};

/* The text of a file, ended by a NUL, as <symbol>. Both are pasted into text:
   NOLINTBEGIN(bugprone-macro-parentheses) */
#define SQL_EMBED(symbol, path)                                                                    \
	__asm__(".section .rodata\n" #symbol ": .incbin \"" path "\"\n"                            \
		".byte 0\n"                                                                        \
		".previous\n");                                                                    \
	extern const char symbol[]
/* NOLINTEND(bugprone-macro-parentheses) */

/* Returns the number of changes applied, or -1 with *error_r owned by the caller. A change whose
   checksum differs from the one recorded is an error; one that was recorded by a newer daemon is
   not: old and new ones run side by side during an upgrade. */
int sql_migrate(const struct sql_settings *settings, const char *component,
		const struct sql_migration *migrations, char **error_r);
/* The same up to a version, or back to it: the newest goes first. Only a daemon that knows all that
   was applied can go back. Returns how many changes were applied or taken back. */
int sql_migrate_to(const struct sql_settings *settings, const char *component,
		   const struct sql_migration *migrations, int version, char **error_r);
/* --migrate [VERSION] of a daemon: goes there (NULL: to the newest) and says so in the log. Returns
   an exit status. */
int sql_migrate_command(const struct sql_settings *settings, const char *component,
			const struct sql_migration *migrations, const char *version);

#endif
