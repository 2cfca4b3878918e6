#include "bson_json.h"

#include "json.h"
#include "utf8.h"

#include <string.h>

#define DEPTH_MAX 40 /* of what is read: JSON_DEPTH_MAX and what the daemon wraps around */

/* ---- to BSON ---- */

static void append_tree(bson_t *out, const cJSON *tree);

static void append_value(bson_t *out, const char *key, const cJSON *item)
{
	int len = (int)strlen(key);
	bson_t child;

	if (cJSON_IsString(item)) {
		bson_append_utf8(out, key, len, item->valuestring, -1);
	} else if (json_is_int(item)) {
		bson_append_int64(out, key, len, (int64_t)item->valuedouble);
	} else if (cJSON_IsNumber(item)) {
		bson_append_double(out, key, len, item->valuedouble);
	} else if (cJSON_IsBool(item)) {
		bson_append_bool(out, key, len, cJSON_IsTrue(item) != 0);
	} else if (cJSON_IsObject(item)) {
		bson_append_document_begin(out, key, len, &child);
		append_tree(&child, item);
		bson_append_document_end(out, &child);
	} else if (cJSON_IsArray(item)) {
		bson_append_array_begin(out, key, len, &child);
		append_tree(&child, item);
		bson_append_array_end(out, &child);
	} else {
		bson_append_null(out, key, len);
	}
}

static void append_tree(bson_t *out, const cJSON *tree)
{
	char number[16];
	const char *key;
	uint32_t index = 0;
	const cJSON *item;

	cJSON_ArrayForEach(item, tree)
	{
		key = item->string;
		if (cJSON_IsArray(tree))
			bson_uint32_to_string(index++, &key, number, sizeof(number));
		append_value(out, key, item);
	}
}

bson_t *bson_from_json(const cJSON *tree)
{
	bson_t *out = bson_new();

	if (tree != NULL)
		append_tree(out, tree);
	return out;
}

/* ---- from BSON ---- */

static cJSON *read_tree(bson_iter_t *iter, cJSON *into, int depth);

static cJSON *read_child(const bson_iter_t *iter, bool is_array, int depth)
{
	cJSON *tree = is_array ? cJSON_CreateArray() : cJSON_CreateObject();
	bson_iter_t child;

	if (depth < DEPTH_MAX && bson_iter_recurse(iter, &child))
		read_tree(&child, tree, depth + 1);
	return tree;
}

static cJSON *read_text(const bson_iter_t *iter)
{
	uint32_t len;
	const char *text = bson_iter_utf8(iter, &len);

	return utf8_valid(text, len) ? cJSON_CreateString(text) : cJSON_CreateNull();
}

static cJSON *read_oid(const bson_iter_t *iter)
{
	char text[25];

	bson_oid_to_string(bson_iter_oid(iter), text);
	return cJSON_CreateString(text);
}

static cJSON *read_value(const bson_iter_t *iter, int depth)
{
	switch (bson_iter_type(iter)) {
	case BSON_TYPE_UTF8:
		return read_text(iter);
	case BSON_TYPE_INT32:
	case BSON_TYPE_INT64:
	case BSON_TYPE_DOUBLE:
		return cJSON_CreateNumber(bson_iter_type(iter) == BSON_TYPE_DOUBLE
						  ? bson_iter_double(iter)
						  : (double)bson_iter_as_int64(iter));
	case BSON_TYPE_BOOL:
		return cJSON_CreateBool(bson_iter_bool(iter));
	case BSON_TYPE_DATE_TIME:
		return cJSON_CreateNumber((double)bson_iter_date_time(iter));
	case BSON_TYPE_OID:
		return read_oid(iter);
	case BSON_TYPE_DOCUMENT:
		return read_child(iter, false, depth);
	case BSON_TYPE_ARRAY:
		return read_child(iter, true, depth);
	default:
		return cJSON_CreateNull();
	}
}

static cJSON *read_tree(bson_iter_t *iter, cJSON *into, int depth)
{
	while (bson_iter_next(iter)) {
		cJSON *item = read_value(iter, depth);

		if (cJSON_IsArray(into))
			cJSON_AddItemToArray(into, item);
		else
			cJSON_AddItemToObject(into, bson_iter_key(iter), item);
	}
	return into;
}

cJSON *bson_to_json(const bson_t *document)
{
	cJSON *tree = cJSON_CreateObject();
	bson_iter_t iter;

	if (bson_iter_init(&iter, document))
		read_tree(&iter, tree, 0);
	return tree;
}
