#include "log.h"
#include "sql_migrate.h"

#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>

#define VERSION_MAX 9999

/* Returns false when it is no number. */
static bool read_version(const char *text, int *version_r)
{
	char *end;
	long version = strtol(text, &end, 10);

	*version_r = (int)version;
	return end != text && *end == '\0' && version >= 0 && version <= VERSION_MAX;
}

int sql_migrate_command(const struct sql_settings *settings, const char *component,
			const struct sql_migration *migrations, const char *version)
{
	char *error = NULL;
	int wanted = INT_MAX, changes;

	if (settings->host[0] == '\0') {
		log_error("DB_HOST is not set");
		return 1;
	}
	if (version != NULL && !read_version(version, &wanted)) {
		log_error("this is no version of the schema", log_str("version", version));
		return 2;
	}
	changes = sql_migrate_to(settings, component, migrations, wanted, &error);
	if (changes < 0)
		log_error("the schema is not at the version that is wanted",
			  log_str("reason", error));
	else
		log_info("the schema is at the version that is wanted",
			 log_int("changes", changes));
	free(error);
	return changes < 0 ? 1 : 0;
}
