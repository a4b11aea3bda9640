/*
 * Errors: one vocabulary for the whole program, declared in api/errors.def.
 *
 * A function that can fail returns enum err; OK is zero. Drivers translate their library's errors at their edge.
 * What a person needs to know beyond the code goes into a struct problem (base/problem.h).
 */
#ifndef TENFOLD_BASE_ERR_H
#define TENFOLD_BASE_ERR_H

#include <stdbool.h>

enum err {
	OK = 0,
#define ERR(name, status, exit_code, retryable, code, title, advice) ERR_##name,
#include "api/errors.def"
#undef ERR
	ERR_COUNT,
	ERR_NOT_CACHED /* no error and in no answer: it is not in memory, so look where it is */
};

struct err_info {
	const char *name;   /* NAME of the table */
	const char *code;   /* stable, for programs */
	const char *title;  /* for people */
	const char *advice; /* what to do, where the sentence itself does not say */
	int status;         /* HTTP */
	int exit_code;      /* of the CLI */
	bool retryable;
};

/* Never NULL; asserts that e is an error of the table (not OK). */
const struct err_info *err_info(enum err e);

/* By its "code" text; ERR_INTERNAL when there is none such. */
enum err err_by_code(const char *code, unsigned long length);

#endif
