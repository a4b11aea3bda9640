/* See forget.h. */
#include "work/forget.h"

#include "store/queries.h"

enum { STEP_BATCHES = 64, STEP_KEYS = 256, STEP_MS = 1000, A_FEW = 128 };

bool forget_is_due(struct forget *f, int64_t now_ms, size_t keys)
{
	f->batches++;
	f->keys += keys;
	return f->batches >= STEP_BATCHES || f->keys >= STEP_KEYS || now_ms - f->stepped_ms >= STEP_MS;
}

/* A batch has one row of events or none, and one number. */
static enum err forget_events(struct forget *f, struct db *db, struct arena *a, int64_t before_ms)
{
	struct event_oldest_in from = {.from_seq = f->first_seq};
	struct event_oldest_out oldest;
	enum err err = q_event_oldest(db, &from, a, &oldest);
	if (err)
		return err == ERR_NOT_FOUND ? OK : err;
	f->first_seq = oldest.seq;
	if (oldest.at_ms >= before_ms)
		return OK;
	int64_t count = 2 * (int64_t)f->batches + A_FEW;
	struct event_trim_in in = {.from_seq = oldest.seq, .below_seq = oldest.seq + count, .before_ms = before_ms};
	return q_event_trim(db, &in);
}

static enum err forget_keys(struct forget *f, struct db *db, struct arena *a, int64_t before_ms)
{
	struct idempotency_oldest_in from = {.from_ms = f->oldest_key_ms};
	struct idempotency_oldest_out oldest;
	enum err err = q_idempotency_oldest(db, &from, a, &oldest);
	if (err || oldest.created_ms >= before_ms)
		return err == ERR_NOT_FOUND ? OK : err;
	f->oldest_key_ms = oldest.created_ms;
	struct idempotency_trim_in in = {
		.from_ms = oldest.created_ms, .before_ms = before_ms, .count = 2 * (int64_t)f->keys + A_FEW};
	return q_idempotency_trim(db, &in);
}

enum err forget_step(struct forget *f, struct db *db, struct arena *a, int64_t now_ms,
		     const struct forget_before *before)
{
	enum err err = forget_events(f, db, a, before->events_ms);
	if (!err)
		err = forget_keys(f, db, a, before->keys_ms);
	f->stepped_ms = now_ms;
	f->batches = f->keys = 0;
	return err;
}
