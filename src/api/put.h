/* Optional members of an answer, given when there is something to give. */
#ifndef TENFOLD_API_PUT_H
#define TENFOLD_API_PUT_H

#include "spec/types.h"

/* A text that is not empty. */
#define PUT_TEXT(to, type, member, text)             \
	do {                                         \
		struct str some = (text);            \
		if (some.n)                          \
			PUT(to, type, member, some); \
	} while (0)

/* A number that is not 0. */
#define PUT_SOME(to, type, member, value)             \
	do {                                          \
		if (value)                            \
			PUT(to, type, member, value); \
	} while (0)

#endif
