#include "sql_migrate.h"

#include "clock.h"
#include "mem.h"
#include "sql_rows.h"
#include "sql_statements.h"

#include <limits.h>
#include <sodium.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define LOCK_WAIT_S      60
#define STATEMENT_WAIT_S 600 /* an ALTER of a large table takes its time */

struct migrator {
	MYSQL mysql;
	const char *component;
	char *error; /* owned; NULL while all is well */
};

static int fail(struct migrator *migrator, const char *doing, const char *error)
{
	free(migrator->error);
	migrator->error = mem_printf("%s: %s", doing, error);
	return -1;
}

static int open_connection(struct migrator *migrator, const struct sql_settings *settings)
{
	unsigned connect_s = (unsigned)(settings->timeout_ms / 1000) + 1;
	unsigned statement_s = STATEMENT_WAIT_S;

	mysql_init(&migrator->mysql);
	mysql_options(&migrator->mysql, MYSQL_OPT_CONNECT_TIMEOUT, &connect_s);
	mysql_options(&migrator->mysql, MYSQL_OPT_READ_TIMEOUT, &statement_s);
	mysql_options(&migrator->mysql, MYSQL_OPT_WRITE_TIMEOUT, &statement_s);
	mysql_options(&migrator->mysql, MYSQL_SET_CHARSET_NAME, "utf8mb4");
	if (mysql_real_connect(&migrator->mysql, settings->host, settings->user, settings->password,
			       settings->database, (unsigned)settings->port, NULL, 0) == NULL)
		return fail(migrator, "connect", mysql_error(&migrator->mysql));
	return 0;
}

/* A statement with values. Its one answer, if it has one, goes to text_r (owned; NULL: no row). */
static int run_bound(struct migrator *migrator, const char *text, const struct sql_value *values,
		     size_t count, char **text_r)
{
	MYSQL_STMT *statement = mysql_stmt_init(&migrator->mysql);
	struct sql_result result = {0};
	struct sql_rows rows = {0};
	int status = 0;

	*text_r = NULL;
	if (mysql_stmt_prepare(statement, text, strlen(text)) != 0 ||
	    sql_bind(statement, values, count) < 0 || mysql_stmt_execute(statement) != 0 ||
	    mysql_stmt_store_result(statement) != 0 || sql_rows_read(&rows, statement, &result) < 0)
		status = fail(migrator, text, mysql_stmt_error(statement));
	else if (result.rows > 0 && sql_cell(&result, 0, 0)->kind == SQL_TEXT)
		*text_r = mem_strdup(sql_cell(&result, 0, 0)->text);
	sql_rows_free(&rows);
	mysql_stmt_close(statement);
	return status;
}

static int run_plain(struct migrator *migrator, const char *doing, const char *text, size_t len)
{
	MYSQL_RES *result;

	if (mysql_real_query(&migrator->mysql, text, len) != 0)
		return fail(migrator, doing, mysql_error(&migrator->mysql));
	result = mysql_store_result(&migrator->mysql);
	mysql_free_result(result); /* NULL is fine */
	return 0;
}

/* The lock is per server: the database's name is in it. It goes with the connection. */
static int lock(struct migrator *migrator)
{
	struct sql_value wait = sql_int(LOCK_WAIT_S);
	char *answer;
	int status = run_bound(migrator,
			       "SELECT CAST(GET_LOCK(CONCAT('migrate:', DATABASE()), ?) AS CHAR)",
			       &wait, 1, &answer);

	if (status == 0 && (answer == NULL || strcmp(answer, "1") != 0))
		status = fail(migrator, "lock", "another process holds it");
	free(answer);
	return status;
}

static int make_table(struct migrator *migrator)
{
	static const char text[] = "CREATE TABLE IF NOT EXISTS schema_migrations ("
				   "component VARCHAR(64) NOT NULL, version INT NOT NULL, "
				   "name VARCHAR(128) NOT NULL, checksum CHAR(64) NOT NULL, "
				   "applied_at BIGINT NOT NULL COMMENT 'Unix ms', "
				   "PRIMARY KEY (component, version)) CHARACTER SET utf8mb4";

	return run_plain(migrator, "schema_migrations", text, sizeof(text) - 1);
}

static void hash(const char *text, char hex_r[crypto_hash_sha256_BYTES * 2 + 1])
{
	unsigned char sum[crypto_hash_sha256_BYTES];

	crypto_hash_sha256(sum, (const unsigned char *)text, strlen(text));
	sodium_bin2hex(hex_r, sizeof(sum) * 2 + 1, sum, sizeof(sum));
}

/* Returns 1 when it was applied before, 0 when it is due, -1 on failure. */
static int is_applied(struct migrator *migrator, const struct sql_migration *migration,
		      const char *checksum)
{
	const struct sql_value values[] = {sql_text(migrator->component),
					   sql_int(migration->version)};
	char *recorded;
	int status = run_bound(migrator,
			       "SELECT checksum FROM schema_migrations "
			       "WHERE component = ? AND version = ?",
			       values, 2, &recorded);

	if (status == 0 && recorded != NULL)
		status = strcmp(recorded, checksum) == 0
				 ? 1
				 : fail(migrator, migration->name,
					"it was changed after it had been applied");
	free(recorded);
	return status;
}

static int record(struct migrator *migrator, const struct sql_migration *migration,
		  const char *checksum)
{
	const struct sql_value values[] = {sql_text(migrator->component),
					   sql_int(migration->version), sql_text(migration->name),
					   sql_text(checksum), sql_int(clock_wall_ms())};
	char *none;

	return run_bound(migrator, "INSERT INTO schema_migrations VALUES (?, ?, ?, ?, ?)", values,
			 5, &none);
}

static int run_statements(struct migrator *migrator, const char *name, const char *text)
{
	const char *at = text;

	while (*(at += strspn(at, " \t\r\n")) != '\0') {
		const char *end = strstr(at, ";\n");
		size_t len = end != NULL ? (size_t)(end - at) : strlen(at);

		if (run_plain(migrator, name, at, len) < 0)
			return -1;
		at += end != NULL ? len + 2 : len;
	}
	return 0;
}

/* Returns the number of changes applied: those up to a version that are due. */
static int go_forward(struct migrator *migrator, const struct sql_migration *migrations,
		      int version)
{
	char checksum[crypto_hash_sha256_BYTES * 2 + 1];
	int applied = 0;

	for (const struct sql_migration *at = migrations; at->name != NULL; at++) {
		int known;

		if (at->version > version)
			break;
		hash(at->sql, checksum);
		known = is_applied(migrator, at, checksum);
		if (known > 0)
			continue;
		if (known < 0 || run_statements(migrator, at->name, at->sql) < 0 ||
		    record(migrator, at, checksum) < 0)
			return -1;
		applied++;
	}
	return applied;
}

/* The newest version that is recorded; 0: none. */
static int newest_applied(struct migrator *migrator, int *version_r)
{
	struct sql_value component = sql_text(migrator->component);
	char *newest;
	int status = run_bound(migrator,
			       "SELECT CAST(MAX(version) AS CHAR) FROM schema_migrations "
			       "WHERE component = ?",
			       &component, 1, &newest);

	*version_r = newest != NULL ? atoi(newest) : 0;
	free(newest);
	return status;
}

static int take_back(struct migrator *migrator, const struct sql_migration *migration)
{
	const struct sql_value values[] = {sql_text(migrator->component),
					   sql_int(migration->version)};
	char *none;

	if (migration->back == NULL)
		return fail(migrator, migration->name, "it cannot be taken back");
	if (run_statements(migrator, migration->name, migration->back) < 0)
		return -1;
	return run_bound(migrator,
			 "DELETE FROM schema_migrations WHERE component = ? AND version = ?",
			 values, 2, &none);
}

/* Returns the number of changes taken back: those above a version. */
static int go_back(struct migrator *migrator, const struct sql_migration *migrations, int version)
{
	const struct sql_migration *at = migrations;
	int newest, taken = 0;

	if (newest_applied(migrator, &newest) < 0)
		return -1;
	while (at->name != NULL)
		at++;
	if (newest > version && (at == migrations || at[-1].version < newest))
		return fail(migrator, "schema", "a newer daemon changed it: that one can go back");
	while (at != migrations && (--at)->version > version) {
		if (at->version > newest)
			continue;
		if (take_back(migrator, at) < 0)
			return -1;
		taken++;
	}
	return taken;
}

static int migrate(struct migrator *migrator, const struct sql_migration *migrations, int version)
{
	int taken = 0, applied;

	if (lock(migrator) < 0 || make_table(migrator) < 0)
		return -1;
	if (version != INT_MAX)
		taken = go_back(migrator, migrations, version);
	applied = taken < 0 ? -1 : go_forward(migrator, migrations, version);
	return applied < 0 ? -1 : taken + applied;
}

int sql_migrate_to(const struct sql_settings *settings, const char *component,
		   const struct sql_migration *migrations, int version, char **error_r)
{
	struct migrator migrator = {.component = component};
	int result;

	mysql_thread_init();
	result = open_connection(&migrator, settings);
	if (result == 0)
		result = migrate(&migrator, migrations, version);
	mysql_close(&migrator.mysql);
	mysql_thread_end();
	*error_r = migrator.error;
	return result;
}

int sql_migrate(const struct sql_settings *settings, const char *component,
		const struct sql_migration *migrations, char **error_r)
{
	return sql_migrate_to(settings, component, migrations, INT_MAX, error_r);
}
