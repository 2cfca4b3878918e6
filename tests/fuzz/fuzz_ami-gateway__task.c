/* Whatever stands in an entry of actions:<pbx>: what is sent to Asterisk is one action, of lines
   that it takes, and nothing in it can begin another; what is answered is JSON. */
#include "json.h"
#include "mem.h"
#include "task.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Each line ends in CR LF, an empty one ends the whole; no CR, LF or NUL stands anywhere else. */
static void check_wire(const char *text, size_t len)
{
	size_t lines = 0;
	size_t start = 0;

	if (len < 4 || memcmp(text, "Action: ", 8) != 0 ||
	    memcmp(text + len - 4, "\r\n\r\n", 4) != 0)
		abort();
	for (size_t i = 0; i < len; i++) {
		if (text[i] == '\0' || (text[i] == '\n' && (i == 0 || text[i - 1] != '\r')))
			abort();
		if (text[i] != '\r')
			continue;
		if (text[i + 1] != '\n' || i - start > AMI_LINE_MAX || (i == start && i + 2 != len))
			abort();
		start = i + 2;
		lines++;
	}
	if (lines > AMI_ACTION_HEADERS_MAX + 1)
		abort();
}

static void check_json(const char *text, size_t len)
{
	const char *error = NULL;
	cJSON *tree = json_parse(text, len, &error);

	if (tree == NULL)
		abort();
	cJSON_Delete(tree);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ami_action action = {0};
	struct task *task = task_new("1-1", (const char *)data, size);
	char *fields = NULL;
	const char *fault = task->fault;

	if (fault == NULL)
		fault = task_compose(task, &action, &fields);
	if (fault == NULL) {
		check_wire(action.text.data, action.text.len);
		check_json(fields, strlen(fields));
	}
	task_answer(task, MSG_AMI_REPLY_OUTCOME_INVALID, fault);
	check_json(task->reply.data, task->reply.len);
	free(fields);
	ami_action_free(&action);
	task_free(&task);
	return 0;
}
