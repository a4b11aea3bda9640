/*
 * The error table as data; see api/errors.def for the rows and what their columns mean.
 */
#include "base/err.h"

#include "base/magic.h"

#include <string.h>

static const struct err_info table[ERR_COUNT] = {
#define ERR(name, status, exit_code, retryable, code, title, advice) \
	[ERR_##name] = {#name, code, title, advice, status, exit_code, retryable},
#include "api/errors.def"
#undef ERR
};

const struct err_info *err_info(enum err e)
{
	CHECK(e > OK && e < ERR_COUNT);
	return &table[e];
}

enum err err_by_code(const char *code, unsigned long length)
{
	for (int e = OK + 1; e < ERR_COUNT; e++)
		if (strlen(table[e].code) == length && memcmp(table[e].code, code, length) == 0)
			return (enum err)e;
	return ERR_INTERNAL;
}
