/*
 * The rows a store would hold: what each batch changed is applied here the way src/work/persist.c applies it to
 * tables, only the columns of its UPDATE included, and a queue can be loaded from it again.
 */
#ifndef TENFOLD_TESTS_WORK_KIT_ROWS_H
#define TENFOLD_TESTS_WORK_KIT_ROWS_H

#include "base/map.h"
#include "base/vec.h"
#include "work/work.h"

struct row {
	struct work_loading l; /* its texts are the row's own */
	int64_t finished_ms;   /* 0: live */
};

struct row_queue {
	int64_t id, tenant;
	char type[16], team[16];
};

struct rows {
	struct map live, done; /* id to struct row */
	VEC(struct row_queue) queues;
	int64_t highest;
};

/* Before work_commit. NULL, or what was wrong: an insert of a row that is there, an update of one that is not … */
const char *rows_apply(struct rows *r, struct work *w);
/* NULL, or the column in which a live item and its row differ. */
const char *rows_differ(const struct rows *r, const struct work *w, const struct item *item);
void rows_forget_done(struct rows *r, int64_t id);
/* In an order that depends on `rng`. Leases that were given time are so in the rows too. */
enum err rows_load(struct rows *r, struct work *w, int64_t now_ms, struct rng *rng, struct problem *p);
void rows_free(struct rows *r);

#endif
