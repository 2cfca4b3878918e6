/* Every state with every mode and every input: each has one outcome, and none leaves the customer
   alone. */
#include "unit.h"

#include "machine.h"

#include <string.h>

static struct transition step(enum transfer_state state, enum transfer_mode mode,
			      enum transfer_input input)
{
	return machine_step(state, mode, input);
}

/* NOLINTBEGIN(bugprone-macro-parentheses): they are declared there. */
#define FOR_ALL(state, mode, input)                                                                \
	for (enum transfer_state state = 0; state < STATES; state++)                               \
		for (enum transfer_mode mode = 0; mode < MODES; mode++)                            \
			for (enum transfer_input input = 0; input < INPUTS; input++)
/* NOLINTEND(bugprone-macro-parentheses) */

static void test_every_outcome_is_defined(void **unused)
{
	(void)unused;
	FOR_ALL(state, mode, input)
	{
		struct transition next = step(state, mode, input);

		assert_true(next.next < STATES);
		assert_true(next.effect < EFFECTS);
		assert_false(next.known && next.refused);
		if (!next.known)
			assert_true(next.next == state && next.effect == EFFECT_NONE);
		assert_int_equal(!next.known && input_is_command(input), next.refused);
	}
}

static void test_what_is_over_stays(void **unused)
{
	(void)unused;
	FOR_ALL(state, mode, input)
	if (state_is_over(state))
		assert_false(step(state, mode, input).known);
}

/* Time alone leads to an end, in few steps: every step that time forces goes somewhere else, or
   changes the mode. */
static void test_time_ends_every_state(void **unused)
{
	(void)unused;
	for (enum transfer_state from = 0; !state_is_over(from); from++)
		for (enum transfer_mode began = 0; began < MODES; began++) {
			enum transfer_state state = from;
			enum transfer_mode mode = began;
			int steps = 0;

			while (!state_is_over(state)) {
				struct transition next = step(state, mode, INPUT_DEADLINE);

				assert_true(next.known);
				assert_true(++steps < 6);
				state = next.next;
				if (next.effect == EFFECT_TAKE_BACK ||
				    next.effect == EFFECT_LAST_RESORT)
					mode = MODE_ALONE;
			}
		}
}

/* While the customer is under way a failure always does something for them: the agent, then the
   queue. Only where Asterisk never moved them, or all was tried, it is called a failure. */
static void test_a_deadline_acts_for_the_customer(void **unused)
{
	(void)unused;
	for (enum transfer_state state = 0; !state_is_over(state); state++)
		for (enum transfer_mode mode = 0; mode < MODE_WATCHING; mode++) {
			struct transition next = step(state, mode, INPUT_DEADLINE);

			if (state == STATE_REQUESTED || state == STATE_FALLING_BACK)
				assert_int_equal(next.next, STATE_FAILED);
			else
				assert_int_not_equal(next.effect, EFFECT_NONE);
		}
}

static void test_the_customers_end_is_the_end(void **unused)
{
	(void)unused;
	for (enum transfer_state state = 0; !state_is_over(state); state++)
		for (enum transfer_mode mode = 0; mode < MODES; mode++)
			assert_int_equal(step(state, mode, INPUT_CUSTOMER_GONE).next,
					 STATE_ABANDONED);
}

/* Wherever the customer is said to be with somebody, it is over. */
static void test_being_with_somebody_is_an_end(void **unused)
{
	static const enum transfer_input together[] = {INPUT_JOINED, INPUT_RETURNED,
						       INPUT_FALLBACK};

	(void)unused;
	for (enum transfer_state state = 0; !state_is_over(state); state++)
		for (enum transfer_mode mode = 0; mode < MODES; mode++)
			for (size_t i = 0; i < 3; i++)
				assert_true(state_is_over(step(state, mode, together[i]).next));
}

static void test_a_phones_own_is_only_watched(void **unused)
{
	(void)unused;
	for (enum transfer_input input = 0; input < INPUTS; input++) {
		assert_int_equal(step(STATE_DIALING, MODE_WATCHING, input).effect, EFFECT_NONE);
		assert_int_equal(step(STATE_RINGING, MODE_WATCHING, input).effect, EFFECT_NONE);
	}
	for (enum transfer_input input = INPUT_COMPLETE; input <= INPUT_CONFERENCE; input++) {
		assert_true(step(STATE_DIALING, MODE_WATCHING, input).refused);
		assert_true(step(STATE_RINGING, MODE_WATCHING, input).refused);
	}
}

static void test_every_state_is_reached(void **unused)
{
	bool reached[STATES] = {[STATE_REQUESTED] = true};
	bool more = true;

	(void)unused;
	while (more) {
		more = false;
		FOR_ALL(state, mode, input)
		{
			enum transfer_state next = step(state, mode, input).next;

			if (reached[state] && !reached[next])
				more = reached[next] = true;
		}
	}
	for (enum transfer_state state = 0; state < STATES; state++)
		assert_true(reached[state]);
}

static void test_every_effect_is_caused(void **unused)
{
	bool caused[EFFECTS] = {false};

	(void)unused;
	FOR_ALL(state, mode, input)
	caused[step(state, mode, input).effect] = true;
	for (enum transfer_effect effect = 0; effect < EFFECTS; effect++)
		assert_true(caused[effect]);
}

static void test_commands(void **unused)
{
	(void)unused;
	assert_int_equal(step(STATE_ANSWERED, MODE_ASKING, INPUT_COMPLETE).effect, EFFECT_HANG_UP);
	assert_int_equal(step(STATE_RINGING, MODE_ASKING, INPUT_COMPLETE).effect, EFFECT_HAND_OVER);
	assert_true(step(STATE_RINGING, MODE_ALONE, INPUT_COMPLETE).refused);
	assert_true(step(STATE_RINGING, MODE_ALONE, INPUT_TOGGLE).refused);
	assert_int_equal(step(STATE_RINGING, MODE_ALONE, INPUT_CANCEL).effect, EFFECT_TAKE_BACK);
	assert_int_equal(step(STATE_RINGING, MODE_ASKING, INPUT_CANCEL).effect, EFFECT_STOP_ASKING);
	assert_true(step(STATE_REQUESTED, MODE_ALONE, INPUT_CANCEL).refused);
	assert_true(step(STATE_COMPLETED, MODE_ALONE, INPUT_CANCEL).refused);
}

static void test_names(void **unused)
{
	(void)unused;
	for (enum transfer_state state = 0; state < STATES; state++) {
		enum transfer_state same;

		assert_true(state_parse(state_name(state), &same));
		assert_int_equal(same, state);
	}
	for (enum transfer_mode mode = 0; mode < MODES; mode++) {
		enum transfer_mode same;

		assert_true(mode_parse(mode_name(mode), &same));
		assert_int_equal(same, mode);
	}
	assert_string_equal(input_name(INPUT_DEADLINE), "deadline");
	assert_string_equal(input_name(INPUT_COMPLETE), "complete");
	assert_string_equal(effect_name(EFFECT_LAST_RESORT), "last_resort");
	assert_false(state_parse("nothing", &(enum transfer_state){0}));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_outcome_is_defined),
		cmocka_unit_test(test_what_is_over_stays),
		cmocka_unit_test(test_time_ends_every_state),
		cmocka_unit_test(test_a_deadline_acts_for_the_customer),
		cmocka_unit_test(test_the_customers_end_is_the_end),
		cmocka_unit_test(test_being_with_somebody_is_an_end),
		cmocka_unit_test(test_a_phones_own_is_only_watched),
		cmocka_unit_test(test_every_state_is_reached),
		cmocka_unit_test(test_every_effect_is_caused),
		cmocka_unit_test(test_commands),
		cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
