#include "job_input.h"

#include <string.h>

void job_input_open(struct job_input *input, const char *text, size_t len, bool is_csv)
{
	*input = (struct job_input){.is_csv = is_csv, .at = text, .end = text + len};
	input->next_line = 1;
	if (is_csv)
		csv_open(&input->csv, text, len);
}

void job_input_close(struct job_input *input)
{
	if (input->is_csv)
		csv_close(&input->csv);
}

static void take_csv(struct job_input *input, size_t max)
{
	input->text = input->csv.at;
	input->line = (int64_t)input->csv.next_line;
	while (input->records < max && csv_next(&input->csv) != CSV_END)
		input->records++;
	input->len = (size_t)(input->csv.at - input->text);
}

static bool is_blank(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (strchr(" \t\r", text[i]) == NULL)
			return false;
	return true;
}

static void take_lines(struct job_input *input, size_t max)
{
	input->text = input->at;
	input->line = input->next_line;
	for (; input->records < max && input->at < input->end; input->next_line++) {
		size_t left = (size_t)(input->end - input->at);
		const char *found = memchr(input->at, '\n', left);
		size_t len = found != NULL ? (size_t)(found - input->at) : left;

		input->records += !is_blank(input->at, len);
		input->at += len + (found != NULL);
	}
	input->len = (size_t)(input->at - input->text);
}

bool job_input_next(struct job_input *input, size_t max)
{
	input->records = 0;
	if (input->is_csv)
		take_csv(input, max);
	else
		take_lines(input, max);
	return input->records > 0;
}
