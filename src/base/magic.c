/*
 * The two ways this program gives up: a broken invariant and a machine without memory. Both say where and abort,
 * so that the core shows the state that was wrong; nobody tries to go on from either.
 */
#include "base/magic.h"

#include <stdio.h>

void check_failed(const char *what, const char *file, int line)
{
	fprintf(stderr, "check failed: %s at %s:%d\n", what, file, line);
	abort();
}

/* Of zero bytes, too, there is an object: a NULL here always means failure to the C library. */
static void *must_have(void *p)
{
	CHECK(p != NULL);
	return p;
}

void *must_alloc(size_t bytes)
{
	return must_have(calloc(1, bytes ? bytes : 1));
}

void *must_realloc(void *p, size_t bytes)
{
	return must_have(realloc(p, bytes ? bytes : 1));
}
