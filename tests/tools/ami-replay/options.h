/* The command line of ami-replay. */
#ifndef OPTIONS_H
#define OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct play_options {
	char host[64];
	int port;
	double speed; /* 1: as recorded; 0: as fast as the client takes it */
	bool stamps, stay;
	bool uncut;         /* later connections are played on the first one */
	int64_t base_ms;    /* of the stamps; -1: now */
	int64_t settle_ms;  /* quiet time of the client before playing begins */
	size_t cut_every;   /* mean length of the writes; 0: as recorded */
	unsigned seed;      /* of the cuts */
	size_t loops;       /* how often everything is played */
	const char *secret; /* file with the secret that clients must know; NULL: any */
	const char *systemname;
	char **files;
	size_t file_count;
};

struct capture_options {
	const char *host, *port, *username, *secret_file, *out;
	int64_t seconds; /* 0: until a signal */
};

/* Return 0, or -1 after one line on stderr. */
int play_options_parse(int argc, char *argv[], struct play_options *options_r);
int capture_options_parse(int argc, char *argv[], struct capture_options *options_r);
void options_usage(void);
/* The first line of the file; NULL after one line on stderr. Owned. */
char *options_read_secret(const char *path);

#endif
