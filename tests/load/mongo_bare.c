/* The driver alone: what a screen pop asks (number, client, activity, each by its id), one after
   the other, on one connection. Prints how long the three took together.

	mongo_bare <uri> <database> <file of number and client id in a line> <times> */
#include <mongoc/mongoc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LINES_MAX 20000

static char numbers[LINES_MAX][32], ids[LINES_MAX][64];

static void get(mongoc_client_t *client, const char *database, const char *name, const char *id)
{
	mongoc_collection_t *collection = mongoc_client_get_collection(client, database, name);
	bson_t filter = BSON_INITIALIZER, options = BSON_INITIALIZER;
	mongoc_cursor_t *cursor;
	const bson_t *document;
	bson_error_t error;

	BSON_APPEND_UTF8(&filter, "_id", id);
	BSON_APPEND_INT64(&options, "limit", 1);
	BSON_APPEND_BOOL(&options, "singleBatch", true);
	cursor = mongoc_collection_find_with_opts(collection, &filter, &options, NULL);
	while (mongoc_cursor_next(cursor, &document))
		;
	if (mongoc_cursor_error(cursor, &error)) {
		fprintf(stderr, "mongo_bare: %s\n", error.message);
		exit(1);
	}
	mongoc_cursor_destroy(cursor);
	bson_destroy(&filter);
	bson_destroy(&options);
	mongoc_collection_destroy(collection);
}

static int compare(const void *a, const void *b)
{
	int64_t left = *(const int64_t *)a, right = *(const int64_t *)b;

	return (left > right) - (left < right);
}

int main(int argc, char *argv[])
{
	FILE *file = argc == 5 ? fopen(argv[3], "r") : NULL;
	size_t lines = 0, times = argc == 5 ? strtoul(argv[4], NULL, 10) : 0;
	mongoc_client_t *client;
	int64_t *taken;

	if (file == NULL || times == 0) {
		fprintf(stderr, "mongo_bare: see the head of the source\n");
		return 2;
	}
	while (lines < LINES_MAX && fscanf(file, "%31s %63s", numbers[lines], ids[lines]) == 2)
		lines++;
	fclose(file);
	taken = calloc(times, sizeof(*taken));
	mongoc_init();
	client = mongoc_client_new(argv[1]);
	if (lines == 0 || taken == NULL || client == NULL) {
		free(taken);
		return 1;
	}
	for (size_t i = 0; i < times; i++) {
		int64_t start = bson_get_monotonic_time();

		get(client, argv[2], "numbers", numbers[i % lines]);
		get(client, argv[2], "clients", ids[i % lines]);
		get(client, argv[2], "activity", ids[i % lines]);
		taken[i] = bson_get_monotonic_time() - start;
	}
	qsort(taken, times, sizeof(*taken), compare);
	size_t middle = times / 2, late = times * 99 / 100;
	printf("p50 %.3f p99 %.3f\n", (double)taken[middle] / 1e3, (double)taken[late] / 1e3);
	mongoc_client_destroy(client);
	mongoc_cleanup();
	free(taken);
	return 0;
}
