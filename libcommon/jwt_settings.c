#include "jwt_settings.h"

#define FIELD(name) offsetof(struct jwt_settings, name)

const struct setting jwt_settings_table[] = {
	{"JWT_AUDIENCE", SETTING_TEXT, FIELD(audience), 1, 100, "mayday", NULL, false,
	 "audience (aud) that a token must name"},
	{"JWT_ISSUER", SETTING_TEXT, FIELD(issuer), 1, 100, "mayday", NULL, false,
	 "issuer (iss) that a token must have"},
	{"JWT_LEEWAY_S", SETTING_NUMBER, FIELD(leeway_s), 0, 60, "5", NULL, false,
	 "clocks of two machines may differ by this many seconds"},
	{"JWT_SECRET", SETTING_TEXT, FIELD(secret), 32, 1024, "", NULL, true,
	 "shared secret of HS256 tokens; empty: only ES256 tokens pass"},
	{0},
};
