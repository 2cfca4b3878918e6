#include "migrations.h"

#include "log.h"
#include "settings.h"

#include <stdlib.h>

/* The text of migrations/<name>.sql, ended by a NUL, as <symbol>. Both are pasted into text:
   NOLINTBEGIN(bugprone-macro-parentheses) */
#define EMBED(symbol, name)                                                                        \
	__asm__(".section .rodata\n" #symbol ": .incbin \"services/auth-svc/migrations/" name      \
		".sql\"\n"                                                                         \
		".byte 0\n"                                                                        \
		".previous\n");                                                                    \
	extern const char symbol[]
/* NOLINTEND(bugprone-macro-parentheses) */

EMBED(migration_0001, "0001_pbx");
EMBED(migration_0002, "0002_users");
EMBED(migration_0003, "0003_identity");

const struct sql_migration migrations[] = {
	{1, "0001_pbx", migration_0001},
	{2, "0002_users", migration_0002},
	{3, "0003_identity", migration_0003},
	{0},
};

int migrations_run(const struct sql_settings *settings_, char **error_r)
{
	return sql_migrate(settings_, "auth-svc", migrations, error_r);
}

int migrations_command(void)
{
	char *error;
	int applied = migrations_run(&settings.sql, &error);

	if (applied < 0)
		log_error("the schema was not brought up to date", log_str("reason", error));
	else
		log_info("the schema is up to date", log_int("applied", applied));
	free(error);
	return applied < 0 ? 1 : 0;
}
