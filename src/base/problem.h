/*
 * What went wrong, for the person or program that caused it: an error of the table, a sentence, and the fields.
 *
 * Filled by whoever finds the fault, encoded as problem+json by http/ and printed as one line by cli/.
 */
#ifndef TENFOLD_BASE_PROBLEM_H
#define TENFOLD_BASE_PROBLEM_H

#include "base/err.h"

#include <stdarg.h>

enum { PROBLEM_FIELDS_MAX = 8 };

struct problem {
	enum err err;
	char detail[320];
	int line, column;  /* in a text that was parsed; 0 when it does not apply */
	int retry_after_s; /* 0: the default of the error */
	unsigned field_count;
	struct {
		char field[96]; /* a path such as items[3].priority */
		char detail[160];
	} fields[PROBLEM_FIELDS_MAX];
};

/* Nothing went wrong. Cheaper than zeroing it: what is not counted is not read. */
void problem_clear(struct problem *p);

/* Sets code and sentence; returns e so that `return problem_set(...)` reads well. p may be NULL. */
enum err problem_set(struct problem *p, enum err e, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* Adds one field's fault. The first one also becomes code and sentence ("priority: must be ...");
 * past the bound further fields are dropped. Returns e. */
enum err problem_field(struct problem *p, enum err e, const char *field, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

#endif
