/* The keys that sign access tokens: <kid>.pem files in a folder (ES256), or JWT_SECRET (HS256). */
#ifndef AUTH_SVC_SIGNER_H
#define AUTH_SVC_SIGNER_H

#include "jwt.h"

struct signer;

struct signer_settings {
	const char *folder; /* "": sign with the secret of jwt. Must outlive the signer, as jwt */
	const struct jwt_settings *jwt;
	int64_t token_ttl_s;
	int64_t rotate_s; /* 0: keys are neither made nor removed */
};

/* Reads every key; makes one in an empty folder. NULL with *error_r (static) when it cannot. */
struct signer *signer_open(const struct signer_settings *set, const char **error_r);
/* Looks at the folder again, makes a key when the last is old, removes what signed nothing that
   still counts. True when the JWKS is another one. A folder that cannot be read changes nothing. */
bool signer_refresh(struct signer *signer);
void signer_close(struct signer **signer);
/* The public halves of all keys, RFC 7517; {"keys":[]} without any. Borrowed. */
const char *signer_jwks(const struct signer *signer);
/* Signs with the last key by name that everyone may know by now. Returns an owned token, NULL on
   failure. */
char *signer_sign(const struct signer *signer, const struct jwt_claims *claims);

#endif
