#include "file_sum.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <unistd.h>

#define CHUNK 65536

static int sum_all(int fd, crypto_hash_sha256_state *state, int64_t *bytes_r)
{
	unsigned char chunk[CHUNK];
	ssize_t got;

	*bytes_r = 0;
	for (;;) {
		got = read(fd, chunk, sizeof(chunk));
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return got < 0 ? errno : 0;
		crypto_hash_sha256_update(state, chunk, (unsigned long long)got);
		*bytes_r += got;
	}
}

int file_sum(const char *path, char *sum_r, int64_t *bytes_r)
{
	unsigned char hash[crypto_hash_sha256_BYTES];
	crypto_hash_sha256_state state;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	int error;

	if (fd < 0)
		return errno;
	crypto_hash_sha256_init(&state);
	error = sum_all(fd, &state, bytes_r);
	close(fd);
	crypto_hash_sha256_final(&state, hash);
	sodium_bin2hex(sum_r, FILE_SUM_LEN + 1, hash, sizeof(hash));
	return error;
}
