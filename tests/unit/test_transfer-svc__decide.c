/* What goes with a change: reasons, times, deadlines, events; what is heard twice or is not meant.
 */
#include "unit.h"

#include "clock.h"
#include "compose.h"
#include "decide.h"

#include <stdio.h>
#include <string.h>

static const struct limits limits = {
	.requested_ms = 10000, .consult_ms = 600000, .back_ms = 20000, .grace_ms = 10000};

static struct transfer make(enum transfer_kind kind, enum transfer_mode mode,
			    enum transfer_state state)
{
	struct transfer transfer = {
		.id = "t1-2",
		.call_id = "c1",
		.pbx = "main",
		.by = "1001",
		.customer = "1002",
		.target = "1003",
		.customer_channel = "PJSIP/1002-1",
		.agent_channel = "PJSIP/1001-1",
		.kind = kind,
		.mode = mode,
		.ring_s = 25,
		.fall_back = true,
	};

	decide_begin(&transfer, state, &limits, 1000);
	return transfer;
}

static struct decision feed(struct transfer *transfer, enum transfer_input input, const char *why)
{
	struct signal signal = signal_empty;
	struct decision decision;

	signal.input = input;
	signal.why = why;
	signal.at = 1500;
	decide(transfer, &signal, &limits, 2000, &decision);
	return decision;
}

static void test_a_blind_transfer_is_told(void **unused)
{
	struct transfer transfer = make(KIND_BLIND, MODE_ALONE, STATE_REQUESTED);
	struct decision decision;

	(void)unused;
	assert_int_equal(transfer.deadline_at, 11000);
	decision = feed(&transfer, INPUT_TRYING, "");
	assert_string_equal(decision.events[0], "transfer:changed");
	assert_int_equal(transfer.deadline_at, 2000 + 35000);
	decision = feed(&transfer, INPUT_RINGING, "");
	assert_string_equal(decision.events[0], "transfer:ringing");
	assert_int_equal(transfer.ringing_at, 1500);
	decision = feed(&transfer, INPUT_JOINED, "");
	assert_string_equal(decision.events[0], "transfer:answered");
	assert_string_equal(decision.events[1], "transfer:completed");
	assert_int_equal(transfer.deadline_at, 0);
	assert_int_equal(transfer.ended_at, 1500);
	assert_false(feed(&transfer, INPUT_CUSTOMER_GONE, "").changed);
	assert_true(feed(&transfer, INPUT_CANCEL, "").refused);
}

static void test_reasons(void **unused)
{
	static const struct {
		const char *word, *cause, *reason;
	} cases[] = {
		{"BUSY", "17", "busy"},
		{"NOANSWER", "0", "no_answer"},
		{"NOANSWER", "21", "declined"},
		{"CHANUNAVAIL", "21", "declined"},
		{"CHANUNAVAIL", "", "unreachable"},
		{"CONGESTION", "34", "failed"},
		{"TIMEOUT", "", "timeout"},
		{"JOINEMPTY", "", "no_agents"},
		{"FULL", "", "queue_full"},
		{"", "", "failed"},
	};

	(void)unused;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct transfer transfer = make(KIND_BLIND, MODE_ALONE, STATE_DIALING);

		snprintf(transfer.cause, sizeof(transfer.cause), "%s", cases[i].cause);
		assert_true(feed(&transfer, INPUT_RETURNING, cases[i].word).changed);
		assert_string_equal(transfer.reason, cases[i].reason);
		assert_true(feed(&transfer, INPUT_FALLBACK, "").changed);
		assert_string_equal(transfer.reason, cases[i].reason);
	}
}

static void test_the_cause_of_the_target_is_kept(void **unused)
{
	struct transfer transfer = make(KIND_BLIND, MODE_ALONE, STATE_RINGING);
	struct signal signal = signal_empty;
	struct decision decision;

	(void)unused;
	signal.input = INPUT_TARGET_GONE;
	signal.cause = "21";
	decide(&transfer, &signal, &limits, 2000, &decision);
	assert_true(decision.changed);
	assert_null(decision.events[0]);
	assert_int_equal(transfer.state, STATE_RINGING);
	assert_string_equal(transfer.cause, "21");
}

static void test_an_entry_is_heard_once(void **unused)
{
	struct transfer transfer = make(KIND_MANAGED, MODE_ASKING, STATE_ANSWERED);
	struct signal signal = signal_empty;
	struct decision decision;

	(void)unused;
	signal.kind = SIGNAL_SPEAKS_WITH;
	signal.with_customer = true;
	signal.entry_id = "100-5";
	decide(&transfer, &signal, &limits, 2000, &decision);
	assert_true(decision.changed && transfer.with_customer);
	signal.with_customer = false;
	decide(&transfer, &signal, &limits, 2000, &decision);
	assert_false(decision.changed);
	signal.entry_id = "99-9";
	decide(&transfer, &signal, &limits, 2000, &decision);
	assert_false(decision.changed);
	signal.entry_id = "100-10";
	decide(&transfer, &signal, &limits, 2000, &decision);
	assert_true(decision.changed && !transfer.with_customer);
}

/* call-lifecycle speaks of the call: of ours only its ringing at the target counts. */
static void test_what_a_call_says(void **unused)
{
	struct transfer ours = make(KIND_MANAGED, MODE_ASKING, STATE_CONSULTING);
	struct transfer phones = make(KIND_PHONE_BLIND, MODE_WATCHING, STATE_DIALING);
	struct signal signal = signal_empty;
	struct decision decision;

	(void)unused;
	signal.of_call = true;
	signal.input = INPUT_JOINED;
	decide(&ours, &signal, &limits, 2000, &decision);
	assert_false(decision.changed);
	signal.input = INPUT_RINGING;
	signal.party = "1009";
	decide(&ours, &signal, &limits, 2000, &decision);
	assert_false(decision.changed);
	signal.party = "1003";
	decide(&ours, &signal, &limits, 2000, &decision);
	assert_int_equal(ours.state, STATE_RINGING);
	signal.input = INPUT_LOST;
	signal.why = "busy";
	decide(&ours, &signal, &limits, 2000, &decision);
	assert_int_equal(ours.state, STATE_RINGING);
	signal.at = 999; /* before it began at 1000 */
	decide(&phones, &signal, &limits, 2000, &decision);
	assert_int_equal(phones.state, STATE_DIALING);
	signal.at = 1000;
	decide(&phones, &signal, &limits, 2000, &decision);
	assert_int_equal(phones.state, STATE_FAILED);
}

static struct decision hear(struct transfer *transfer, enum transfer_input input, const char *party,
			    bool left)
{
	struct signal signal = signal_empty;
	struct decision decision;

	signal.of_call = true;
	signal.input = input;
	signal.party = party;
	signal.left = left;
	signal.at = 1500;
	decide(transfer, &signal, &limits, 2000, &decision);
	return decision;
}

/* Asked by a phone's keys: the parties are seen together before Asterisk says what it was. */
static void test_a_phone_asks_and_leaves(void **unused)
{
	struct transfer transfer = make(KIND_PHONE_ATTENDED, MODE_WATCHING, STATE_CONSULTING);

	(void)unused;
	hear(&transfer, INPUT_RINGING, "1003", false);
	assert_int_equal(transfer.state, STATE_RINGING);
	hear(&transfer, INPUT_ANSWERED, "1003", false);
	assert_int_equal(transfer.state, STATE_ANSWERED);
	hear(&transfer, INPUT_JOINED, "1003", false);
	assert_int_equal(transfer.state, STATE_COMPLETING);
	hear(&transfer, INPUT_JOINED, "", true);
	assert_int_equal(transfer.state, STATE_COMPLETED);
	assert_int_equal(transfer.ended_at, 1500);
}

static void test_a_phone_leaves_while_it_rings(void **unused)
{
	struct transfer taken = make(KIND_PHONE_ATTENDED, MODE_WATCHING, STATE_RINGING);
	struct transfer recalled = taken;

	(void)unused;
	hear(&taken, INPUT_AGENT_GONE, "", true);
	hear(&taken, INPUT_JOINED, "1003", false);
	assert_int_equal(taken.state, STATE_COMPLETED);
	hear(&recalled, INPUT_AGENT_GONE, "", true);
	hear(&recalled, INPUT_JOINED, "1001", false);
	assert_int_equal(recalled.state, STATE_ROLLED_BACK);
}

static void test_parked(void **unused)
{
	struct transfer taken = make(KIND_PARK, MODE_WATCHING, STATE_QUEUED);
	struct transfer own = taken, late = taken;

	(void)unused;
	hear(&taken, INPUT_JOINED, "1004", false);
	assert_int_equal(taken.state, STATE_COMPLETED);
	assert_string_equal(taken.target, "1004");
	hear(&own, INPUT_JOINED, "1001", false);
	assert_int_equal(own.state, STATE_CANCELLED);
	feed(&late, INPUT_RETURNING, "TIMEOUT");
	hear(&late, INPUT_JOINED, "1001", false);
	assert_int_equal(late.state, STATE_ROLLED_BACK);
	assert_string_equal(late.reason, "timeout");
}

static void test_a_toggled_target_that_leaves(void **unused)
{
	struct transfer transfer = make(KIND_MANAGED, MODE_ASKING, STATE_ANSWERED);

	(void)unused;
	transfer.with_customer = true;
	assert_true(feed(&transfer, INPUT_TARGET_GONE, "").changed);
	assert_int_equal(transfer.state, STATE_ROLLED_BACK);
	assert_string_equal(transfer.reason, "target_hung_up");
}

static void test_agent_and_target_leave_together(void **unused)
{
	struct transfer transfer = make(KIND_MANAGED, MODE_ASKING, STATE_ANSWERED);

	(void)unused;
	feed(&transfer, INPUT_TARGET_GONE, "");
	assert_int_equal(feed(&transfer, INPUT_AGENT_GONE, "").effect, EFFECT_TAKE_BACK);
	transfer = make(KIND_MANAGED, MODE_ASKING, STATE_ANSWERED);
	feed(&transfer, INPUT_AGENT_GONE, "");
	assert_int_equal(transfer.state, STATE_COMPLETING);
	assert_int_equal(feed(&transfer, INPUT_TARGET_GONE, "").effect, EFFECT_TAKE_BACK);
	assert_int_equal(transfer.mode, MODE_ALONE);
	assert_int_equal(feed(&transfer, INPUT_DEADLINE, "").effect, EFFECT_LAST_RESORT);
}

/* ---- what is asked of Asterisk: always valid, never too long ---- */

static void check_action(const struct buffer *text)
{
	const char *error;
	cJSON *action = json_parse(buffer_str(text), text->len, &error);
	const cJSON *pair;

	assert_non_null(action);
	cJSON_ArrayForEach(pair, cJSON_GetObjectItem(action, "fields"))
	{
		const char *value = cJSON_GetArrayItem(pair, 1)->valuestring;

		assert_true(strlen(value) > 0 && strpbrk(value, "\r\n,") == NULL);
	}
	cJSON_Delete(action);
}

static void test_every_effect_is_composed(void **unused)
{
	const struct compose_settings set = {5000, 600000};

	(void)unused;
	for (enum transfer_effect effect = EFFECT_TAKE_BACK; effect < EFFECTS; effect++)
		for (int toggled = 0; toggled < 2; toggled++) {
			struct transfer transfer = make(KIND_MANAGED, MODE_ASKING, STATE_ANSWERED);
			struct actions actions;

			snprintf(transfer.target_channel, sizeof(transfer.target_channel),
				 "PJSIP/1003-1");
			transfer.with_customer = toggled;
			compose_effect(&transfer, effect, &set, &actions);
			assert_int_equal(actions.count, effect == EFFECT_MEET ? 2 : 1);
			assert_int_equal(transfer.actions, actions.count);
			for (size_t i = 0; i < actions.count; i++)
				check_action(&actions.text[i]);
			actions_free(&actions);
		}
}

static void test_what_does_not_fit_is_refused(void **unused)
{
	const struct compose_settings set = {5000, 600000};
	struct transfer transfer = make(KIND_BLIND, MODE_ALONE, STATE_REQUESTED);
	struct actions actions;

	(void)unused;
	snprintf(transfer.id, sizeof(transfer.id), "t1795419167940-8dd09743");
	snprintf(transfer.target, sizeof(transfer.target), "%032d", 0);
	assert_int_equal(compose_begin(&transfer, &set, &actions), 0);
	actions_free(&actions);
	snprintf(transfer.by, sizeof(transfer.by), "%032d", 0);
	assert_int_equal(compose_begin(&transfer, &set, &actions), -1);
	transfer.kind = KIND_MANAGED;
	assert_int_equal(compose_begin(&transfer, &set, &actions), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_blind_transfer_is_told),
		cmocka_unit_test(test_reasons),
		cmocka_unit_test(test_the_cause_of_the_target_is_kept),
		cmocka_unit_test(test_an_entry_is_heard_once),
		cmocka_unit_test(test_what_a_call_says),
		cmocka_unit_test(test_a_phone_asks_and_leaves),
		cmocka_unit_test(test_a_phone_leaves_while_it_rings),
		cmocka_unit_test(test_parked),
		cmocka_unit_test(test_a_toggled_target_that_leaves),
		cmocka_unit_test(test_agent_and_target_leave_together),
		cmocka_unit_test(test_every_effect_is_composed),
		cmocka_unit_test(test_what_does_not_fit_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
