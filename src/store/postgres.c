/*
 * PostgreSQL: not there yet.
 */
#include "store/store_priv.h"

enum err postgres_store_open(const char *url, struct store **out, struct problem *p)
{
	(void)url, (void)out;
	return problem_set(p, ERR_STORE_UNAVAILABLE, "this build has no PostgreSQL");
}
