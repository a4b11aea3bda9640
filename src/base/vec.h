/*
 * A growing array of one type, kept by its owner: VEC(struct row) rows; *VEC_PUSH(&rows) = row; rows.n = 0 to
 * reuse. Elements move when it grows, so nobody keeps pointers into it.
 */
#ifndef TENFOLD_BASE_VEC_H
#define TENFOLD_BASE_VEC_H

#include "base/magic.h"

#include <stddef.h>

#define VEC(type)              \
	struct {               \
		type *v;       \
		size_t n, cap; \
	}

/* A pointer to a new last element, not initialised. */
#define VEC_PUSH(vec)                                                                                      \
	((vec)->n == (vec)->cap ? (void)((vec)->cap = (vec)->cap ? 2 * (vec)->cap : 16,                    \
					 (vec)->v = must_realloc((vec)->v, (vec)->cap * sizeof *(vec)->v)) \
				: (void)0,                                                                 \
	 &(vec)->v[(vec)->n++])

#define VEC_FREE(vec) (free((vec)->v), (vec)->v = NULL, (vec)->n = (vec)->cap = 0)

#endif
