/* Who is this? By number for the screen pop, and by anything as it is typed. */
#include "activity.h"
#include "json.h"
#include "number_index.h"
#include "query.h"
#include "routes.h"
#include "summary.h"
#include "task.h"
#include "words.h"

#include <stdlib.h>
#include <string.h>

#define MATCHES_MAX 20
#define WORDS_ASKED 6
#define TYPED_MAX   200

/* ---- by number ---- */

static void lookup(struct db *db, struct task *task)
{
	const char *text = http_query(task->request, "number");
	char number[PHONE_MAX];
	cJSON *found = NULL, *reply, *clients;
	enum db_result result;

	if (text == NULL || !phone_normalise(&task->service->phones, text, number)) {
		task_refuse(task, 400, "invalid_number", "number must be a telephone number");
		return;
	}
	result = number_index_find(db, number, MATCHES_MAX, &found);
	if (result != DB_OK) {
		task_refuse_db(task, result);
		return;
	}
	reply = cJSON_CreateObject();
	cJSON_AddStringToObject(reply, "number", number);
	clients = cJSON_AddArrayToObject(reply, "clients");
	for (const cJSON *client = found->child; client != NULL; client = client->next) {
		if (!scope_sees(&task->scope, client))
			continue;
		task_saw(task, json_get_str(client, "_id"));
		cJSON_AddItemToArray(clients, summary_of(db, client));
	}
	cJSON_Delete(found);
	task_reply(task, 200, reply);
}

void handle_lookup(struct http_request *request, void *service)
{
	task_start(request, service, MONGO_FAST, lookup);
}

/* ---- as it is typed ---- */

static void lower(const char *text, char *out, size_t size)
{
	size_t i;

	for (i = 0; text[i] != '\0' && i + 1 < size; i++)
		out[i] = (char)(text[i] >= 'A' && text[i] <= 'Z' ? text[i] + 32 : text[i]);
	out[i] = '\0';
}

/* All words must begin a word of the record. False: there is none. */
static bool add_words(cJSON *filter, const char *text)
{
	cJSON *words = cJSON_CreateArray();
	const cJSON *word;
	int count = 0;

	words_add(words, text);
	cJSON_ArrayForEach(word, words)
	{
		if (count++ < WORDS_ASKED)
			query_and(filter, query_prefix("k.words", word->valuestring));
	}
	cJSON_Delete(words);
	return count > 0;
}

/* "#vip" a tag, "@" in it an e-mail address, digits a number, else words. */
static bool add_typed(const struct task *task, cJSON *filter, const char *text)
{
	char prefix[PHONE_MAX], small[TYPED_MAX + 1];

	if (text[0] == '#') {
		cJSON_AddStringToObject(filter, "tags", text + 1);
		return text[1] != '\0';
	}
	if (strchr(text, '@') != NULL) {
		lower(text, small, sizeof(small));
		query_and(filter, query_prefix("k.emails", small));
		return true;
	}
	if (phone_prefix(&task->service->phones, text, prefix)) {
		query_and(filter, query_prefix("k.numbers", prefix));
		return true;
	}
	return add_words(filter, text);
}

static bool wants(const struct task *task, enum kind_id kind)
{
	const char *in = http_query(task->request, "in");

	return in != NULL ? strcmp(in, kinds[kind].collection) == 0
			  : kind == KIND_CLIENT || kind == KIND_CONTACT || kind == KIND_NOTE;
}

/* What one kind has; a kind without such words has nothing. */
static enum db_result search_kind(struct db *db, struct task *task, enum kind_id kind,
				  const char *text, cJSON *reply)
{
	static const char *const newest[] = {"updatedAt", "startedAt"};
	cJSON *filter = cJSON_CreateObject(), *sort = cJSON_CreateObject(), *found = NULL, *item;
	struct db_page page = {sort, task->page.limit};
	enum db_result result = DB_OK;

	cJSON_AddNumberToObject(sort, newest[kind == KIND_INTERACTION], -1);
	cJSON_AddBoolToObject(filter, "k.live", true);
	scope_filter(&task->scope, filter);
	if (add_typed(task, filter, text))
		result = db_find(db, kinds[kind].collection, filter, &page, &found);
	cJSON_ArrayForEach(item, found)
	{
		task_saw(task, json_get_str(item, kind == KIND_CLIENT ? "_id" : "clientId"));
		record_public(item);
	}
	if (found != NULL)
		cJSON_AddItemToObject(reply, kinds[kind].collection, found);
	cJSON_Delete(filter);
	cJSON_Delete(sort);
	return result;
}

static void search(struct db *db, struct task *task)
{
	static const enum kind_id searched[] = {KIND_CLIENT,      KIND_CONTACT, KIND_NOTE,
						KIND_INTERACTION, KIND_MESSAGE, KIND_POST};
	const char *text = http_query(task->request, "q");
	cJSON *reply;
	enum db_result result = DB_OK;

	if (text == NULL || strlen(text) < 2 || strlen(text) > TYPED_MAX) {
		task_refuse(task, 400, "bad_request", "q must be a text of 2 to 200 bytes");
		return;
	}
	reply = cJSON_CreateObject();
	for (size_t i = 0; i < sizeof(searched) / sizeof(searched[0]) && result == DB_OK; i++)
		if (wants(task, searched[i]))
			result = search_kind(db, task, searched[i], text, reply);
	if (result == DB_OK) {
		task_reply(task, 200, reply);
		return;
	}
	cJSON_Delete(reply);
	task_refuse_db(task, result);
}

void handle_search(struct http_request *request, void *service)
{
	task_start(request, service, MONGO_SLOW, search);
}
