/* The pool and the migrations on a real MariaDB, which this test starts and ends itself. */
#include "clock.h"
#include "mem.h"
#include "sql.h"
#include "sql_migrate.h"

#include "unit.h"

#include <mysql.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define WAIT_S 20

static char folder[] = "/tmp/test_sql.XXXXXX";
static char host[32], user[] = "mayday", password[] = "p", database[] = "mayday";
static struct sql_settings settings = {host, 3306, user, password, database, 3, 1000};
static pid_t server;

static void run(const char *command)
{
	if (system(command) != 0)
		fail_msg("%s", command);
}

static bool try_connect(void)
{
	MYSQL *mysql = mysql_init(NULL);
	bool ok = mysql_real_connect(mysql, host, user, password, NULL, 3306, NULL, 0) != NULL;

	mysql_close(mysql);
	return ok;
}

static void start_server(void)
{
	char *line = mem_printf("exec mariadbd --no-defaults --user=root --datadir=%s/data "
				"--bind-address=%s --port=3306 --socket=%s/s --pid-file=%s/pid "
				"--init-file=%s/init --skip-name-resolve --skip-log-bin "
				"--innodb-log-file-size=8M --innodb-buffer-pool-size=16M "
				">%s/log 2>&1",
				folder, host, folder, folder, folder, folder);

	server = fork();
	if (server == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		execl("/bin/sh", "sh", "-c", line, (char *)NULL);
		_exit(127);
	}
	free(line);
	for (int i = 0; i < WAIT_S * 20; i++) {
		if (try_connect())
			return;
		usleep(50000);
	}
	fail_msg("mariadbd did not start: see %s/log", folder);
}

static void stop_server(int number)
{
	kill(server, number);
	waitpid(server, NULL, 0);
	server = 0;
}

static int set_up_server(void **state)
{
	char *line;
	FILE *init;

	(void)state;
	if (mkdtemp(folder) == NULL)
		return -1;
	snprintf(host, sizeof(host), "127.%d.%d.%d", 64 + getpid() % 150, getpid() / 150 % 250,
		 1 + getpid() / 37500 % 250);
	line = mem_printf("mariadb-install-db --no-defaults --user=root --datadir=%s/data "
			  "--auth-root-authentication-method=normal --skip-test-db "
			  "--innodb-log-file-size=8M >%s/install 2>&1",
			  folder, folder);
	run(line);
	free(line);
	line = mem_printf("%s/init", folder);
	init = fopen(line, "w");
	fputs("CREATE DATABASE IF NOT EXISTS mayday;\n"
	      "CREATE USER IF NOT EXISTS mayday@'127.%' IDENTIFIED BY 'p';\n"
	      "GRANT ALL ON *.* TO mayday@'127.%';\n",
	      init);
	fclose(init);
	free(line);
	start_server();
	return 0;
}

static int tear_down_server(void **state)
{
	char *line = mem_printf("rm -rf %s", folder);

	(void)state;
	if (server > 0)
		stop_server(SIGTERM);
	run(line);
	free(line);
	return 0;
}

/* ---- a pool on a loop of its own ---- */

struct fixture {
	uv_loop_t loop;
	struct sql_pool *pool;
	bool up;
	int downs;
	int answers;
	/* Copies of the last answer. */
	int status;
	char error[200], text[64];
	size_t rows, columns;
	uint64_t affected, insert_id;
	int64_t number;
};

static void on_state(bool up, const char *detail, void *context)
{
	struct fixture *fixture = context;

	fixture->up = up;
	if (!up) {
		fixture->downs++;
		assert_non_null(detail);
	}
}

static void on_done(const struct sql_result *result, void *context)
{
	struct fixture *fixture = context;

	fixture->answers++;
	fixture->status = (int)result->status;
	fixture->rows = result->rows;
	fixture->columns = result->columns;
	fixture->affected = result->affected;
	fixture->insert_id = result->insert_id;
	snprintf(fixture->error, sizeof(fixture->error), "%s", result->error);
	if (result->rows > 0 && sql_cell(result, 0, 0)->kind == SQL_INT)
		fixture->number = sql_cell(result, 0, 0)->number;
	if (result->rows > 0 && sql_cell(result, 0, 0)->kind == SQL_TEXT)
		snprintf(fixture->text, sizeof(fixture->text), "%s", sql_cell(result, 0, 0)->text);
}

static void on_beat(uv_timer_t *timer)
{
	(void)timer; /* lets the loop look at the clock */
}

/* Turns the loop until *value is wanted. */
static void turn(struct fixture *fixture, const int *value, int wanted)
{
	int64_t deadline = clock_mono_ms() + WAIT_S * 1000;
	uv_timer_t beat;

	uv_timer_init(&fixture->loop, &beat);
	uv_timer_start(&beat, on_beat, 10, 10);
	while (*value != wanted && clock_mono_ms() < deadline)
		uv_run(&fixture->loop, UV_RUN_ONCE);
	uv_close((uv_handle_t *)&beat, NULL);
	uv_run(&fixture->loop, UV_RUN_NOWAIT);
	assert_int_equal(*value, wanted);
}

static void turn_until_up(struct fixture *fixture, bool up)
{
	int64_t deadline = clock_mono_ms() + WAIT_S * 1000;
	int never = 0;

	while (fixture->up != up && clock_mono_ms() < deadline) {
		uv_timer_t beat;

		uv_timer_init(&fixture->loop, &beat);
		uv_timer_start(&beat, on_beat, 10, 0);
		uv_run(&fixture->loop, UV_RUN_ONCE);
		uv_close((uv_handle_t *)&beat, NULL);
		turn(fixture, &never, 0);
	}
	assert_int_equal(fixture->up, up);
}

static void query(struct fixture *fixture, const char *text, const struct sql_value *values,
		  size_t count)
{
	int before = fixture->answers;

	sql_query(fixture->pool, text, values, count, on_done, fixture);
	assert_int_equal(fixture->answers, before);
	turn(fixture, &fixture->answers, before + 1);
}

static void expect(struct fixture *fixture, int status, const char *text)
{
	query(fixture, text, NULL, 0);
	if (fixture->status != status)
		fail_msg("%s: %d: %s", text, fixture->status, fixture->error);
}

static int set_up(void **state)
{
	struct fixture *fixture = mem_new(struct fixture);

	if (server == 0)
		start_server();
	uv_loop_init(&fixture->loop);
	fixture->pool = sql_pool_open(&fixture->loop, &settings, on_state, fixture);
	turn_until_up(fixture, true);
	expect(fixture, SQL_OK, "DROP TABLE IF EXISTS t, schema_migrations, m1, m2");
	expect(fixture, SQL_OK,
	       "CREATE TABLE t (id BIGINT AUTO_INCREMENT PRIMARY KEY, name VARCHAR(50) UNIQUE)");
	*state = fixture;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *fixture = *state;

	sql_pool_close(&fixture->pool);
	uv_run(&fixture->loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&fixture->loop), 0);
	free(fixture);
	return 0;
}

static const char insert[] = "INSERT INTO t (name) VALUES (?)";

static void binds_and_reads_values(void **state)
{
	struct fixture *fixture = *state;
	struct sql_value name = sql_text("x'); DROP TABLE t; -- \xc3\xa9");
	struct sql_value both[] = {name, sql_int(-5)};

	for (int i = 0; i < 3; i++) { /* prepared on each connection, then found again */
		query(fixture, "SELECT ?, ?", both, 2);
		assert_int_equal(fixture->status, SQL_OK);
		assert_string_equal(fixture->text, name.text);
	}
	query(fixture, insert, &name, 1);
	assert_int_equal(fixture->affected, 1);
	assert_int_equal(fixture->insert_id, 1);
	expect(fixture, SQL_OK, "SELECT id, name, NULL, 1.5, '' FROM t");
	assert_int_equal(fixture->rows, 1);
	assert_int_equal(fixture->columns, 5);
	assert_int_equal(fixture->number, 1);
	expect(fixture, SQL_OK, "SELECT name FROM t WHERE id = 7");
	assert_int_equal(fixture->rows, 0);
	expect(fixture, SQL_OK, "SELECT REPEAT('a', 300000) UNION SELECT REPEAT('b', 3)");
	assert_int_equal(fixture->rows, 2);
}

static void tells_failures_apart(void **state)
{
	struct fixture *fixture = *state;
	struct sql_value name = sql_text("ann"), nothing = sql_text(NULL);

	query(fixture, insert, &name, 1);
	query(fixture, insert, &name, 1);
	assert_int_equal(fixture->status, SQL_DUPLICATE);
	query(fixture, insert, &nothing, 1);
	assert_int_equal(fixture->status, SQL_OK);
	for (int i = 0; i < 5; i++)
		expect(fixture, SQL_FAILED, "SELEKT 1");
	expect(fixture, SQL_FAILED, "SELECT ? + 1");
	expect(fixture, SQL_OK, "SELECT COUNT(*) FROM t");
	assert_int_equal(fixture->number, 2);
}

static void keeps_transactions_whole(void **state)
{
	struct fixture *fixture = *state;
	struct sql_value a = sql_text("a"), b = sql_text("b");
	struct sql_statement good[] = {{insert, &a, 1}, {insert, &b, 1}};
	struct sql_statement bad[] = {{"DELETE FROM t", NULL, 0}, {insert, &a, 1}, {insert, &a, 1}};

	sql_transaction(fixture->pool, good, 2, on_done, fixture);
	turn(fixture, &fixture->answers, 3);
	assert_int_equal(fixture->status, SQL_OK);
	assert_int_equal(fixture->insert_id, 2);
	sql_transaction(fixture->pool, bad, 3, on_done, fixture);
	turn(fixture, &fixture->answers, 4);
	assert_int_equal(fixture->status, SQL_DUPLICATE);
	expect(fixture, SQL_OK, "SELECT COUNT(*) FROM t");
	assert_int_equal(fixture->number, 2);
}

static void answers_many_at_once(void **state)
{
	struct fixture *fixture = *state;
	int before = fixture->answers;

	for (int i = 0; i < 500; i++)
		sql_query(fixture->pool, "SELECT 7", NULL, 0, on_done, fixture);
	turn(fixture, &fixture->answers, before + 500);
	assert_int_equal(fixture->status, SQL_OK);
	for (int i = 0; i < 600; i++) /* more than may wait */
		sql_query(fixture->pool, "SELECT 7", NULL, 0, on_done, fixture);
	turn(fixture, &fixture->answers, before + 1100);
}

static void times_out(void **state)
{
	struct fixture *fixture = *state;

	expect(fixture, SQL_UNAVAILABLE, "SELECT SLEEP(30)");
	assert_string_equal(fixture->error, "timed out");
	turn_until_up(fixture, true);
	expect(fixture, SQL_OK, "SELECT 1");
}

static void survives_the_server(void **state)
{
	struct fixture *fixture = *state;
	struct sql_value name = sql_text("ann");

	query(fixture, insert, &name, 1);
	stop_server(SIGKILL);
	turn_until_up(fixture, false);
	expect(fixture, SQL_UNAVAILABLE, "SELECT 1");
	start_server();
	turn_until_up(fixture, true);
	query(fixture, insert, &name, 1);
	assert_int_equal(fixture->status, SQL_DUPLICATE);
	expect(fixture, SQL_OK, "SELECT COUNT(*) FROM t");
	assert_int_equal(fixture->number, 1);
}

static void loses_work_under_way_loudly(void **state)
{
	struct fixture *fixture = *state;
	int before = fixture->answers;

	for (int i = 0; i < 10; i++)
		sql_query(fixture->pool, "SELECT SLEEP(0.5)", NULL, 0, on_done, fixture);
	for (int i = 0; i < 20; i++)
		uv_run(&fixture->loop, UV_RUN_NOWAIT);
	stop_server(SIGKILL);
	turn(fixture, &fixture->answers, before + 10);
	assert_int_equal(fixture->status, SQL_UNAVAILABLE);
}

static void closes_with_work_under_way(void **state)
{
	struct fixture *fixture = *state;
	int before = fixture->answers;

	for (int i = 0; i < 10; i++)
		sql_query(fixture->pool, "SELECT SLEEP(0.5)", NULL, 0, on_done, fixture);
	for (int i = 0; i < 20; i++)
		uv_run(&fixture->loop, UV_RUN_NOWAIT);
	sql_pool_close(&fixture->pool);
	assert_int_equal(fixture->answers, before + 10);
	assert_int_equal(fixture->status, SQL_UNAVAILABLE);
}

static void close_pool(const struct sql_result *result, void *context)
{
	struct fixture *fixture = context;

	on_done(result, context);
	sql_pool_close(&fixture->pool);
}

static void may_be_closed_by_an_answer(void **state)
{
	struct fixture *fixture = *state;
	int before = fixture->answers;

	sql_query(fixture->pool, "SELECT 'last'", NULL, 0, close_pool, fixture);
	sql_query(fixture->pool, "SELECT 1", NULL, 0, on_done, fixture);
	turn(fixture, &fixture->answers, before + 2);
	assert_null(fixture->pool);
}

static struct sql_migration changes[] = {
	{1, "0001_one", "CREATE TABLE m1 (a INT);\nINSERT INTO m1 VALUES (1);\n", NULL},
	{2, "0002_two", "-- a comment\nALTER TABLE m1 ADD COLUMN b INT DEFAULT 7",
	 "ALTER TABLE m1 DROP COLUMN b;\n"},
	{3, "0003_three", "CREATE TABLE m2 (a INT)", "DROP TABLE m2"},
	{0},
};

static int go_to(int version, char **error_r)
{
	return sql_migrate_to(&settings, "test", changes, version, error_r);
}

static void migrates_once(void **state)
{
	struct fixture *fixture = *state;
	struct sql_migration first[] = {changes[0], {0}};
	struct sql_migration other[] = {changes[0], {2, "0002_two", "SELECT 2", NULL}, {0}};
	struct sql_migration bad[] = {{4, "0004_bad", "CREATE TABEL x (a INT);\n", NULL}, {0}};
	struct sql_settings elsewhere = settings;
	char *error;

	assert_int_equal(sql_migrate(&settings, "test", first, &error), 1);
	assert_int_equal(sql_migrate(&settings, "test", changes, &error), 2);
	assert_int_equal(sql_migrate(&settings, "test", changes, &error), 0);
	assert_null(error);
	expect(fixture, SQL_OK, "SELECT COUNT(*) FROM m1");
	assert_int_equal(fixture->number, 1);
	assert_int_equal(sql_migrate(&settings, "test", other, &error), -1);
	assert_non_null(strstr(error, "0002_two"));
	free(error);
	assert_int_equal(sql_migrate(&settings, "test", bad, &error), -1);
	free(error);
	elsewhere.port = 1;
	assert_int_equal(sql_migrate(&elsewhere, "test", changes, &error), -1);
	free(error);
}

static void goes_back_and_forth(void **state)
{
	struct fixture *fixture = *state;
	struct sql_migration older[] = {changes[0], changes[1], {0}};
	char *error;

	assert_int_equal(go_to(2, &error), 2);
	assert_int_equal(go_to(3, &error), 1);
	expect(fixture, SQL_OK, "INSERT INTO m1 VALUES (2, 2)");
	/* An older daemon lives with what a newer one did, and cannot undo it. */
	assert_int_equal(sql_migrate(&settings, "test", older, &error), 0);
	assert_int_equal(sql_migrate_to(&settings, "test", older, 1, &error), -1);
	assert_non_null(strstr(error, "newer"));
	free(error);
	assert_int_equal(go_to(1, &error), 2);
	expect(fixture, SQL_OK, "SELECT SUM(a) FROM m1");
	expect(fixture, SQL_FAILED, "SELECT b FROM m1");
	assert_int_equal(go_to(1, &error), 0);
	assert_int_equal(sql_migrate(&settings, "test", changes, &error), 2);
	expect(fixture, SQL_OK, "SELECT COUNT(*) FROM m1 WHERE b = 7");
	assert_int_equal(fixture->number, 2);
	assert_int_equal(go_to(0, &error), -1);
	assert_non_null(strstr(error, "0001_one"));
	free(error);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
		TEST(binds_and_reads_values),
		TEST(tells_failures_apart),
		TEST(keeps_transactions_whole),
		TEST(answers_many_at_once),
		TEST(times_out),
		TEST(survives_the_server),
		TEST(loses_work_under_way_loudly),
		TEST(closes_with_work_under_way),
		TEST(may_be_closed_by_an_answer),
		TEST(migrates_once),
		TEST(goes_back_and_forth),
	};

	return cmocka_run_group_tests(tests, set_up_server, tear_down_server);
}
