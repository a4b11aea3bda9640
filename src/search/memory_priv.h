/*
 * Memory of an index: every byte counted, and nothing freed while a reader may still be looking at it.
 *
 * The writer replaces a thing by publishing the new one and retiring the old. A reader pins the epoch for as long
 * as a query lasts. What was retired in an epoch is freed when no pin is that old.
 */
#ifndef TENFOLD_SEARCH_MEMORY_PRIV_H
#define TENFOLD_SEARCH_MEMORY_PRIV_H

#include "base/vec.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct pin {
	struct pin *next;
	_Atomic uint64_t epoch; /* 0 while its thread asks nothing */
};

struct retired {
	void *p;
	uint64_t epoch;
};

struct memory {
	_Atomic size_t bytes; /* as malloc counts them: what was usable, and its header */
	_Atomic uint64_t epoch;
	pthread_mutex_t mutex; /* over pins; held for a walk along them */
	struct pin *pins;
	VEC(struct retired) retired; /* the writer's */
};

void memory_init(struct memory *m);
void memory_free_all(struct memory *m); /* nobody reads any more */

void *mem_new(struct memory *m, size_t bytes); /* zeroed */
void mem_free(struct memory *m, void *p);      /* that no reader has seen; NULL is fine */
void mem_retire(struct memory *m, void *p);    /* that no reader will find from now on; NULL is fine */
void mem_collect(struct memory *m);            /* frees what it may; call it after each change */

void mem_join(struct memory *m, struct pin *pin);
void mem_leave(struct memory *m, struct pin *pin);
void mem_pin(struct memory *m, struct pin *pin);
void mem_unpin(struct pin *pin);

#endif
