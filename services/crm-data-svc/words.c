#include "words.h"

#include "utf8.h"

#include <locale.h>
#include <pthread.h>
#include <string.h>
#include <wctype.h>

#define WORD_MAX 40 /* bytes; what is longer is cut */

static locale_t letters;

static void open_letters(void)
{
	letters = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
}

static locale_t the_letters(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	pthread_once(&once, open_letters);
	return letters;
}

/* len: of the sequence, as utf8_sequence() found it. */
static wint_t decode(const char *text, size_t len)
{
	static const unsigned char first[] = {0, 0x7f, 0x1f, 0x0f, 0x07};
	wint_t code = (unsigned char)text[0] & first[len];

	for (size_t i = 1; i < len; i++)
		code = code << 6 | ((unsigned char)text[i] & 0x3f);
	return code;
}

static size_t encode(wint_t code, char *out)
{
	size_t len = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
	static const unsigned char lead[] = {0, 0, 0xc0, 0xe0, 0xf0};

	for (size_t i = len - 1; i > 0; i--) {
		out[i] = (char)(0x80 | (code & 0x3f));
		code >>= 6;
	}
	out[0] = (char)(lead[len] | code);
	return len;
}

static void add_word(cJSON *list, const char *word)
{
	const cJSON *item;
	int count = 0;

	cJSON_ArrayForEach(item, list)
	{
		if (++count >= WORDS_MAX || strcmp(item->valuestring, word) == 0)
			return;
	}
	cJSON_AddItemToArray(list, cJSON_CreateString(word));
}

void words_add(cJSON *list, const char *text)
{
	locale_t locale = the_letters();
	char word[WORD_MAX + 5];
	size_t len = 0, step;

	for (; *text != 0 && (step = utf8_sequence(text, strnlen(text, 4))) > 0; text += step) {
		wint_t code = decode(text, step);

		if (iswalnum_l(code, locale)) {
			if (len < WORD_MAX)
				len += encode(towlower_l(code, locale), word + len);
		} else if (len > 0) {
			word[len] = '\0';
			add_word(list, word);
			len = 0;
		}
	}
	if (len > 0) {
		word[len] = '\0';
		add_word(list, word);
	}
}
