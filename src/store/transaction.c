/* See transaction.h. */
#include "store/transaction.h"

#include "store/queries.h"

#include <poll.h>

enum { ASKS_MAX = 100, ASK_AGAIN_MS = 100 };

/* The store knows what became of a transaction once it has ended. */
static enum err find_outcome(struct db *db, struct arena *a, int64_t transaction)
{
	struct transaction_outcome_in in = {.id = transaction};

	for (int ask = 0; ask < ASKS_MAX; ask++) {
		struct transaction_outcome_out out;
		struct problem p = {0};
		enum err e = db_reconnect(db, &p);

		if (!e)
			e = q_transaction_outcome(db, &in, a, &out);
		if (!e && !out.running)
			return out.committed ? OK : ERR_STORE_UNAVAILABLE;
		poll(NULL, 0, ASK_AGAIN_MS);
	}
	return ERR_OUTCOME_UNKNOWN;
}

enum err transaction_run(struct db *db, struct arena *a, transaction_fn *body, void *ctx)
{
	struct transaction_current_out transaction;
	enum err e = db_begin(db);

	if (!e)
		e = q_transaction_current(db, a, &transaction);
	if (!e)
		e = body(ctx, db);
	if (!e)
		e = db_commit(db);
	if (e == ERR_OUTCOME_UNKNOWN)
		return find_outcome(db, a, transaction.id);
	if (e)
		db_rollback(db);
	return e;
}

bool transaction_store_fault(enum err e)
{
	return e == ERR_STORE_FULL || e == ERR_STORE_UNAVAILABLE || e == ERR_OUTCOME_UNKNOWN;
}
