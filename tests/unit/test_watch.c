/* What people watch a daemon by: log lines, health, metrics; and the ids in them. */
#include "clock.h"
#include "health.h"
#include "ids.h"
#include "log.h"
#include "metrics.h"
#include "unit.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* What log_warn() writes to stderr; overwritten by the next call. */
static const char *caught_line(void)
{
	static char text[1024];
	int saved = dup(STDERR_FILENO);
	FILE *file = tmpfile();
	size_t len;

	assert_non_null(file);
	dup2(fileno(file), STDERR_FILENO);
	log_debug("not written");
	log_warn("two words", log_str("plain", "a/b"), log_str("odd", "x=\"\n"), log_int("n", -5),
		 log_str("none", NULL));
	dup2(saved, STDERR_FILENO);
	close(saved);
	rewind(file);
	len = fread(text, 1, sizeof(text) - 1, file);
	text[len] = '\0';
	fclose(file);
	return text;
}

static void test_log_line_as_logfmt(void **state)
{
	(void)state;
	clock_set(1640995200123);
	log_open("test", LOG_FORMAT_LOGFMT, LOG_INFO);
	assert_string_equal(caught_line(),
			    "time=2022-01-01T00:00:00.123Z level=warn svc=test msg=\"two words\" "
			    "plain=a/b odd=\"x=\\\"\\n\" n=-5 none=\"\"\n");
	clock_set(-1);
}

static void test_log_line_as_json(void **state)
{
	(void)state;
	clock_set(1640995200123);
	log_open("test", LOG_FORMAT_JSON, LOG_INFO);
	assert_string_equal(
		caught_line(),
		"{\"time\":\"2022-01-01T00:00:00.123Z\",\"level\":\"warn\",\"svc\":"
		"\"test\",\"msg\":\"two words\",\"plain\":\"a/b\",\"odd\":\"x=\\\"\\n\","
		"\"n\":-5,\"none\":\"\"}\n");
	log_open("test", LOG_FORMAT_LOGFMT, LOG_ERROR);
	clock_set(-1);
}

static void test_health(void **state)
{
	struct health *health = health_new();
	struct health_item *redis = health_add(health, "redis", false);
	struct health_item *mongo = health_add(health, "mongo", true);
	struct buffer text = {0};

	(void)state;
	clock_set(1000);
	assert_false(health_ready(health));
	health_set(redis, true, NULL);
	assert_true(health_ready(health));
	health_set(mongo, false, "refused");
	clock_set(1500);
	health_write(health, &text);
	assert_non_null(strstr(buffer_str(&text),
			       "\"redis\":{\"ok\":true,\"sinceAt\":1000,\"forMs\":500}"));
	assert_non_null(strstr(buffer_str(&text), "\"optional\":true,\"detail\":\"refused\""));
	buffer_free(&text);
	health_free(&health);
	clock_set(-1);
}

struct values {
	uint64_t calls;
	int64_t depth;
	struct metric_histogram wait;
};

static const struct metric_def defs[] = {
	METRIC_DEF(COUNTER, struct values, calls, "Calls")
		METRIC_DEF(GAUGE, struct values, depth, "Depth")
			METRIC_DEF(HISTOGRAM, struct values, wait, "Wait") METRIC_END};

static void test_metrics(void **state)
{
	struct metrics *metrics = metrics_new();
	struct values east = {.calls = 3, .depth = -2};
	struct values west = {.calls = 4};
	struct buffer text = {0};

	(void)state;
	metrics_add(metrics, defs, "pbx=\"east\"", &east);
	metrics_add(metrics, defs, "pbx=\"west\"", &west);
	metric_observe_us(&east.wait, 100);
	metric_observe_us(&east.wait, 101);
	metric_observe_us(&east.wait, 99999999);
	metrics_write(metrics, &text);
	assert_non_null(strstr(buffer_str(&text), "# TYPE mayday_calls counter\n"
						  "mayday_calls{pbx=\"east\"} 3\n"
						  "mayday_calls{pbx=\"west\"} 4\n"));
	assert_non_null(strstr(buffer_str(&text), "mayday_depth{pbx=\"east\"} -2\n"));
	assert_non_null(
		strstr(buffer_str(&text), "mayday_wait_bucket{pbx=\"east\",le=\"0.0001\"} 1\n"));
	assert_non_null(
		strstr(buffer_str(&text), "mayday_wait_bucket{pbx=\"east\",le=\"10\"} 2\n"));
	assert_non_null(
		strstr(buffer_str(&text), "mayday_wait_bucket{pbx=\"east\",le=\"+Inf\"} 3\n"));
	assert_non_null(strstr(buffer_str(&text), "process_resident_memory_bytes "));
	buffer_clear(&text);
	metrics_remove(metrics, &east);
	metrics_write(metrics, &text);
	assert_null(strstr(buffer_str(&text), "east"));
	buffer_free(&text);
	metrics_free(&metrics);
}

static void test_ids(void **state)
{
	char one[ID_RANDOM_LEN + 1];
	char two[ID_RANDOM_LEN + 1];
	char call[ID_CALL_LEN + 1];

	(void)state;
	id_random(one);
	id_random(two);
	assert_string_not_equal(one, two);
	assert_true(id_is_safe(one, ID_RANDOM_LEN));
	id_call(call);
	assert_int_equal(strlen(call), ID_CALL_LEN);
	assert_true(id_is_safe(call, 64));
	assert_false(id_is_safe("", 64));
	assert_false(id_is_safe("a\r\nb", 64));
	assert_false(id_is_safe("abc", 2));
	assert_true(id_is_number("+74950000000"));
	assert_false(id_is_number("1001@x"));
	assert_false(id_is_number("1001\r\nAction: x"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_log_line_as_logfmt),
		cmocka_unit_test(test_log_line_as_json),
		cmocka_unit_test(test_health),
		cmocka_unit_test(test_metrics),
		cmocka_unit_test(test_ids),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
