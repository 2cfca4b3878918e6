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

/* Every state that can come about, by whatever is heard in whatever order, with every input. A
   column for each input, as they stand in machine.h; a letter for the next state (below), a capital
   where it is over; '.': nothing changes; '!': a command that is refused. */
static const char next_letters[] = "qdcruapxbfCFXBA";
static const struct {
	enum transfer_state state;
	enum transfer_mode mode;
	const char *outcomes;
} cells[] = {
	{STATE_REQUESTED, MODE_ALONE, "Fdcru.C.bBBA..F!!!!F"},
	{STATE_DIALING, MODE_ALONE, "...ru.C.bBBA..F!x!!b"},
	{STATE_CONSULTING, MODE_ALONE, ".d.r.aCbbBBA..F!!!!b"},
	{STATE_RINGING, MODE_ALONE, "......C.bBBA..F!x!!b"},
	{STATE_QUEUED, MODE_ALONE, "......C.bBBA..F!x!!b"},
	{STATE_ANSWERED, MODE_ALONE, ".d....CbbBBApbF!!!!b"},
	{STATE_COMPLETING, MODE_ALONE, ".d....C.bBBA..F!!!!b"},
	{STATE_CANCELLING, MODE_ALONE, "......C..XBA...!!!!b"},
	{STATE_ROLLING_BACK, MODE_ALONE, "......C..BBA..F!!!!f"},
	{STATE_FALLING_BACK, MODE_ALONE, "......C..BBA...!!!!F"},
	{STATE_REQUESTED, MODE_ASKING, "FdcruaCbbBBA..F!!!!F"},
	{STATE_CONSULTING, MODE_ASKING, ".d.r.aCbbBBA..Fpx!!b"},
	{STATE_RINGING, MODE_ASKING, ".d...aCbbBBA..Fpx!!b"},
	{STATE_QUEUED, MODE_ASKING, "......C.bBBA..F!!!!b"},
	{STATE_ANSWERED, MODE_ASKING, ".d....CbbBBApbFpxapb"},
	{STATE_COMPLETING, MODE_ASKING, ".d....C.bBBA.bF!!!!b"},
	{STATE_CANCELLING, MODE_ASKING, "......C..XBAx..!!!!b"},
	{STATE_ROLLING_BACK, MODE_ASKING, "......C..BBAb.F!!!!b"},
	{STATE_DIALING, MODE_WATCHING, "...ru.C.bBBA..F!!!!F"},
	{STATE_CONSULTING, MODE_WATCHING, ".d.r.aCbbBBAp.F!!!!F"},
	{STATE_RINGING, MODE_WATCHING, ".....aC.bBBAp.F!!!!F"},
	{STATE_QUEUED, MODE_WATCHING, "......C.bXBA..F!!!!F"},
	{STATE_ANSWERED, MODE_WATCHING, ".d....CbbBBApbF!!!!F"},
	{STATE_COMPLETING, MODE_WATCHING, ".d....C.bBBA..F!!!!F"},
	{STATE_ROLLING_BACK, MODE_WATCHING, "......C..BBA..F!!!!F"},
};

#define CELLS (sizeof(cells) / sizeof(cells[0]))

/* As transfers begin. */
static void mark_begins(bool reached[STATES][MODES])
{
	reached[STATE_REQUESTED][MODE_ALONE] = reached[STATE_REQUESTED][MODE_ASKING] = true;
	reached[STATE_DIALING][MODE_WATCHING] = reached[STATE_CONSULTING][MODE_WATCHING] = true;
	reached[STATE_QUEUED][MODE_WATCHING] = true;
}

static bool mark_next(bool reached[STATES][MODES])
{
	bool more = false;

	FOR_ALL(state, mode, input)
	{
		struct transition next = step(state, mode, input);
		enum transfer_mode after = machine_mode_after(mode, input, next.effect);

		if (reached[state][mode] && next.known && !reached[next.next][after])
			more = reached[next.next][after] = true;
	}
	return more;
}

static void test_every_state_with_every_input(void **unused)
{
	bool reached[STATES][MODES] = {false};

	(void)unused;
	mark_begins(reached);
	while (mark_next(reached))
		;
	for (size_t i = 0; i < CELLS; i++) {
		assert_true(reached[cells[i].state][cells[i].mode]);
		reached[cells[i].state][cells[i].mode] = false;
		assert_int_equal(strlen(cells[i].outcomes), INPUTS);
		for (enum transfer_input input = 0; input < INPUTS; input++) {
			struct transition next = step(cells[i].state, cells[i].mode, input);
			char letter = next.known     ? next_letters[next.next]
				      : next.refused ? '!'
						     : '.';

			if (letter != cells[i].outcomes[input])
				fail_msg("%s, %s, on %s: %c", state_name(cells[i].state),
					 mode_name(cells[i].mode), input_name(input), letter);
		}
	}
	/* Nothing else comes about, but what is over. */
	for (enum transfer_state state = 0; !state_is_over(state); state++)
		for (enum transfer_mode mode = 0; mode < MODES; mode++)
			assert_false(reached[state][mode]);
}

/* Time alone leads to an end, in few steps: every step that time forces goes somewhere else, or
   changes the mode. */
static void test_time_ends_every_state(void **unused)
{
	(void)unused;
	for (size_t i = 0; i < CELLS; i++) {
		enum transfer_state state = cells[i].state;
		enum transfer_mode mode = cells[i].mode;
		int steps = 0;

		while (!state_is_over(state)) {
			struct transition next = step(state, mode, INPUT_DEADLINE);

			assert_true(next.known);
			assert_true(++steps < 6);
			state = next.next;
			mode = machine_mode_after(mode, INPUT_DEADLINE, next.effect);
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
	for (size_t i = 0; i < CELLS; i++)
		for (enum transfer_input input = 0; input < INPUTS; input++) {
			struct transition next = step(cells[i].state, cells[i].mode, input);

			if (cells[i].mode != MODE_WATCHING)
				continue;
			assert_int_equal(next.effect, EFFECT_NONE);
			assert_int_equal(next.refused, input_is_command(input));
		}
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
		cmocka_unit_test(test_every_state_with_every_input),
		cmocka_unit_test(test_time_ends_every_state),
		cmocka_unit_test(test_a_deadline_acts_for_the_customer),
		cmocka_unit_test(test_the_customers_end_is_the_end),
		cmocka_unit_test(test_being_with_somebody_is_an_end),
		cmocka_unit_test(test_a_phones_own_is_only_watched),
		cmocka_unit_test(test_every_effect_is_caused),
		cmocka_unit_test(test_commands),
		cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
