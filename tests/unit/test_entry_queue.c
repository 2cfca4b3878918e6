#include "entry_queue.h"
#include "mem.h"
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void push_number(struct entry_queue *queue, int number, size_t padding)
{
	char *text = mem_alloc(padding + 16);

	snprintf(text, 16, "%d", number);
	entry_queue_push(queue, text, 16 + padding);
	free(text);
}

static int first_number(const struct entry_queue *queue)
{
	return atoi(entry_queue_first(queue)->data);
}

/* Against a plain counter: whatever goes in comes out in order, and the sums agree. */
static void test_first_in_first_out(void **state)
{
	struct entry_queue queue = {0};
	int in = 0, out = 0;

	(void)state;
	srand(1);
	for (int round = 0; round < 2000; round++) {
		for (int i = rand() % 50; i > 0; i--)
			push_number(&queue, in++, (size_t)(rand() % 3000));
		for (int i = rand() % 50; i > 0 && out < in; i--) {
			assert_int_equal(first_number(&queue), out++);
			entry_queue_pop(&queue);
		}
		assert_int_equal(queue.count, in - out);
	}
	for (; out < in; entry_queue_pop(&queue))
		assert_int_equal(first_number(&queue), out++);
	assert_int_equal(queue.bytes, 0);
	assert_null(entry_queue_first(&queue));
	entry_queue_free(&queue);
}

static void test_walking(void **state)
{
	struct entry_queue queue = {0};
	struct entry_cursor cursor = entry_queue_begin(&queue);
	struct entry *entry;
	size_t bytes = 0;
	int next = 100;

	(void)state;
	assert_null(entry_queue_next(&cursor));
	for (int i = 0; i < 1000; i++)
		push_number(&queue, i, 500);
	for (int i = 0; i < 100; i++)
		entry_queue_pop(&queue);
	cursor = entry_queue_begin(&queue);
	while ((entry = entry_queue_next(&cursor)) != NULL) {
		assert_int_equal(atoi(entry->data), next++);
		bytes += entry_size(entry->len);
	}
	assert_int_equal(next, 1000);
	assert_int_equal(bytes, queue.bytes);
	entry_queue_free(&queue);
}

static void test_giants_and_nothing(void **state)
{
	struct entry_queue queue = {0};
	struct entry_cursor cursor;

	(void)state;
	push_number(&queue, 1, 1000000);
	entry_queue_push(&queue, NULL, 0);
	push_number(&queue, 2, 1000000);
	cursor = entry_queue_begin(&queue);
	for (int i = 0; i < 3; i++)
		assert_non_null(entry_queue_next(&cursor));
	assert_null(entry_queue_next(&cursor));
	for (int i = 0; i < 3; i++)
		entry_queue_pop(&queue);
	assert_null(queue.first); /* a giant's memory is not kept */
	push_number(&queue, 3, 0);
	assert_int_equal(first_number(&queue), 3);
	entry_queue_free(&queue);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_first_in_first_out),
		cmocka_unit_test(test_walking),
		cmocka_unit_test(test_giants_and_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
