#include "password_rules.h"

#include "mem.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define WORD_MAX      16 /* letters of a listed word */
#define DIFFERENT_MIN 5  /* characters */
#define NAME_MIN      4  /* a shorter name is part of too many words */

/* One word on a line, lower case, letters alone; ended by a NUL. NOLINTNEXTLINE */
__asm__(".section .rodata\ncommon_words: .incbin \"services/auth-svc/common_passwords.txt\"\n"
	".byte 0\n"
	".previous\n");
extern const char common_words[];

/* What digits and signs stand for in the words of people who think that this helps. */
static char plain_letter(char byte)
{
	static const char from[] = "0134578@$!+|", to[] = "oieastbasitl";
	const char *at = byte != '\0' ? strchr(from, byte) : NULL;

	return at != NULL ? to[at - from] : (char)tolower((unsigned char)byte);
}

static bool is_listed(const char *word, size_t len)
{
	for (const char *at = common_words; *at != '\0'; at += strcspn(at, "\n") + 1)
		if (strcspn(at, "\n") == len && strncmp(at, word, len) == 0)
			return true;
	return false;
}

/* Whether the whole of it is listed words, one after the other. */
static bool is_made_of_listed(const char *word, size_t len)
{
	bool *reached = mem_array(bool, len + 1);
	bool result;

	reached[0] = true;
	for (size_t from = 0; from < len; from++)
		for (size_t to = from + 3; reached[from] && to <= len && to <= from + WORD_MAX;
		     to++)
			if (!reached[to])
				reached[to] = is_listed(word + from, to - from);
	result = len > 0 && reached[len];
	free(reached);
	return result;
}

/* Looks at it without the digits and signs around it, with and without those inside. */
static bool is_common(const char *text)
{
	size_t len = strlen(text), start = 0, kept = 0;
	char *word = mem_alloc(len + 1);
	bool result;

	for (size_t i = 0; i < len; i++)
		if (isalpha((unsigned char)text[i]))
			word[kept++] = (char)tolower((unsigned char)text[i]);
	result = is_made_of_listed(word, kept);
	while (start < len && !isalpha((unsigned char)text[start]))
		start++;
	while (len > start && !isalpha((unsigned char)text[len - 1]))
		len--;
	for (kept = 0; start < len; start++)
		word[kept++] = plain_letter(text[start]);
	result = result || is_made_of_listed(word, kept);
	free(word);
	return result;
}

static bool has_few_characters(const char *text)
{
	bool seen[256] = {false};
	size_t count = 0;

	for (; *text != '\0'; text++) {
		count += !seen[(unsigned char)*text];
		seen[(unsigned char)*text] = true;
	}
	return count < DIFFERENT_MIN;
}

/* "123456789012", "abcdefghijkl" and the like, both ways: most steps are the same small one. */
static bool is_sequence(const char *text)
{
	size_t len = strlen(text), steps[3] = {0};

	for (size_t i = 1; i < len; i++)
		for (int step = -1; step <= 1; step++)
			steps[step + 1] += text[i] - text[i - 1] == step;
	return steps[0] * 4 >= (len - 1) * 3 || steps[1] * 4 >= (len - 1) * 3 ||
	       steps[2] * 4 >= (len - 1) * 3;
}

static bool holds_name(const char *text, const char *username)
{
	return strlen(username) >= NAME_MIN ? strcasestr(text, username) != NULL
					    : strcasecmp(text, username) == 0;
}

const char *password_fault(const char *text, const char *username)
{
	if (strlen(text) < PASSWORD_MIN)
		return "It is shorter than 12 characters";
	if (strlen(text) > PASSWORD_MAX)
		return "It is longer than 256 bytes";
	if (holds_name(text, username))
		return "It holds the user's name";
	if (has_few_characters(text) || is_sequence(text))
		return "It is too regular";
	if (is_common(text))
		return "It is one of the most common passwords";
	return NULL;
}
