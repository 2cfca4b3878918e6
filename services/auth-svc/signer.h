/* The keys that sign access tokens: <kid>.pem files in a folder (ES256), or JWT_SECRET (HS256). */
#ifndef AUTH_SVC_SIGNER_H
#define AUTH_SVC_SIGNER_H

#include "jwt.h"

struct signer;

/* folder "": sign with the secret of settings, which must outlive the signer. Reads every key;
   makes one in an empty folder. NULL with *error_r (static) when it cannot. */
struct signer *signer_open(const char *folder, const struct jwt_settings *settings,
			   const char **error_r);
void signer_close(struct signer **signer);
/* The public halves of all keys, RFC 7517; {"keys":[]} without any. Borrowed. */
const char *signer_jwks(const struct signer *signer);
/* Signs with the last key by name. Returns an owned token, NULL on failure. */
char *signer_sign(const struct signer *signer, const struct jwt_claims *claims);

#endif
