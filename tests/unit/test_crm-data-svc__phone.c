/* Numbers as people and telephones write them, and the words of a text. */
#include "fields.h"
#include "phone.h"
#include "query.h"
#include "words.h"

#include "json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static const struct phone_rules german = {"49", "0", "00"}, american = {"1", "", "011"};

static void every_form_is_one_number(void **state)
{
	static const char *const forms[] = {
		"030 901820",         "+49 30 901820", "0049 30 901820", "(030) 90-18-20",
		"030/901820",         "49 30 901820",  "+4930.901820",   "+49 (0)30 901820",
		"0049 (0) 30 901820", "+49 030 901820"};
	char number[PHONE_MAX];

	(void)state;
	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		assert_true(phone_normalise(&german, forms[i], number));
		assert_string_equal(number, "+4930901820");
	}
	assert_true(phone_normalise(&german, "+44 (0)20 7946 0000", number));
	assert_string_equal(number, "+442079460000");
	assert_true(phone_normalise(&german, "+39 06 1234567", number));
	assert_string_equal(number, "+39061234567");
	assert_true(phone_normalise(&american, "212 555 0100", number));
	assert_string_equal(number, "+12125550100");
	assert_true(phone_normalise(&american, "011 49 30 901820", number));
	assert_string_equal(number, "+4930901820");
}

static void what_is_no_number_is_refused(void **state)
{
	static const char *const wrong[] = {"",
					    "+",
					    "0",
					    "1001",
					    "abc",
					    "+49x",
					    "030+1234",
					    "+0301234567",
					    "+4912",
					    "901820",
					    "+12345678901234567890",
					    "0000000000000000000000000000000000000000000000"};
	char number[PHONE_MAX];

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		assert_false(phone_normalise(&german, wrong[i], number));
}

static void a_beginning_and_the_form_at_home(void **state)
{
	char number[PHONE_MAX], national[PHONE_MAX + 3];

	(void)state;
	assert_true(phone_prefix(&german, "030 9", number));
	assert_string_equal(number, "+49309");
	assert_false(phone_prefix(&german, "anna", number));
	phone_national(&german, "+4930901820", national);
	assert_string_equal(national, "030901820");
	phone_national(&german, "+442079460000", national);
	assert_string_equal(national, "+442079460000");
}

static void words_are_small_and_once(void **state)
{
	static const char *const expected[] = {"änne", "müller", "lüdenscheidt", "42", "ωμέγα"};
	cJSON *words = cJSON_CreateArray();

	(void)state;
	words_add(words, "Änne MÜLLER-Lüdenscheidt, 42; änne: ΩΜΈΓΑ!");
	words_add(words, "");
	words_add(words, "müller \xff\xfe broken");
	assert_int_equal(cJSON_GetArraySize(words), 5);
	for (int i = 0; i < 5; i++)
		assert_string_equal(cJSON_GetArrayItem(words, i)->valuestring, expected[i]);
	cJSON_Delete(words);
}

static void a_prefix_means_itself(void **state)
{
	cJSON *condition = query_prefix("k.words", "a.b*(c)");
	const cJSON *operator= cJSON_GetObjectItem(condition, "k.words");

	(void)state;
	assert_string_equal(json_get_str(operator, "$regex"), "^a\\.b\\*\\(c\\)");
	cJSON_Delete(condition);
}

static void e_mail_addresses(void **state)
{
	(void)state;
	assert_true(field_is_email("anna.meier@example.org"));
	assert_false(field_is_email("anna"));
	assert_false(field_is_email("@example.org"));
	assert_false(field_is_email("anna@example"));
	assert_false(field_is_email("anna@b@example.org"));
	assert_false(field_is_email("anna meier@example.org"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_form_is_one_number),
		cmocka_unit_test(what_is_no_number_is_refused),
		cmocka_unit_test(a_beginning_and_the_form_at_home),
		cmocka_unit_test(words_are_small_and_once),
		cmocka_unit_test(a_prefix_means_itself),
		cmocka_unit_test(e_mail_addresses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
