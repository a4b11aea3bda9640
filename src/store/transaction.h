/*
 * A transaction whose end is known: when the connection is lost during COMMIT, the store itself is asked what became
 * of it. For writes beside the queue's batches, which have a question of their own (executor.h).
 */
#ifndef TENFOLD_STORE_TRANSACTION_H
#define TENFOLD_STORE_TRANSACTION_H

#include "store/store.h"

/* Runs in the transaction; anything but OK undoes it. */
typedef enum err transaction_fn(void *ctx, struct db *db);

/* OK: durable. ERR_OUTCOME_UNKNOWN only when the store could not be asked for ten seconds. */
enum err transaction_run(struct db *db, struct arena *a, transaction_fn *body, void *ctx);

/* Is the store as a whole at fault, so that running smaller parts by themselves would not help? */
bool transaction_store_fault(enum err e);

#endif
