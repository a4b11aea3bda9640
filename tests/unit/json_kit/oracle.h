/*
 * A second opinion on JSON: jansson, behind a door, because its header and ours use the same names.
 */
#ifndef TENFOLD_TESTS_JSON_KIT_ORACLE_H
#define TENFOLD_TESTS_JSON_KIT_ORACLE_H

#include "base/str.h"

enum oracle_says {
	ORACLE_VALID,
	ORACLE_INVALID,
	ORACLE_CANNOT_SAY, /* it stopped at a number that no double holds, which RFC 8259 leaves open */
};

/* As strict as we are: duplicate members and \u0000 refused, any value allowed at the top. */
enum oracle_says oracle_check(struct str text);

#endif
