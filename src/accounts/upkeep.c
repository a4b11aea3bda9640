/* See upkeep.h. */
#include "accounts/upkeep.h"

#include "base/arena.h"

enum { AT_ONCE = 1000, PERIOD_MS = 60000, HOUR_MS = 3600000 };

static const int64_t KEPT_MS = INT64_C(30) * 86400000;

static enum err count_one(void *ctx, const void *row)
{
	(void)row;
	++*(size_t *)ctx;
	return OK;
}

/* What goes when its time was so long ago. */
static const struct rule {
	enum err (*clear)(struct db *db, const struct upkeep_in *in, db_row_fn *each, void *ctx);
	bool kept; /* for KEPT_MS */
} rules[] = {
	{q_refresh_token_clear, false}, {q_ticket_clear, false},       {q_password_reset_clear, false},
	{q_invitation_clear, true},     {q_sign_in_clear_ended, true}, {q_sign_in_clear_expired, true},
};

/* ---- access tokens: the feed tells of them ---- */

struct cleared {
	struct change_fact *facts;
	size_t count;
	int64_t now_ms;
};

static enum err tell_of_key(void *ctx, const void *row)
{
	struct cleared *cleared = ctx;
	const struct key_place *key = row;
	cleared->facts[cleared->count++] = (struct change_fact){.tenant = key->tenant,
								.entity = ENTITY_KEY,
								.op = OP_DELETE,
								.ref = key->id,
								.at_ms = cleared->now_ms};
	return OK;
}

static enum err clear_keys(struct db *db, struct job_run *run, size_t *count)
{
	struct cleared keys = {.facts = ARENA_ARRAY(run->arena, struct change_fact, AT_ONCE),
			       .now_ms = run->now_ms};
	struct upkeep_in in = {run->now_ms - HOUR_MS, AT_ONCE};
	if (!keys.facts)
		return ERR_INTERNAL;
	enum err err = q_key_clear_of_users(db, &in, tell_of_key, &keys);
	*count = keys.count;
	return err || !keys.count ? err : q_change_add(db, keys.facts, keys.count);
}

/* ---- the job ---- */

static enum err step(void *ctx, struct db *db, struct job_run *run)
{
	(void)ctx;
	size_t all = 0, keys = 0;
	enum err err = OK;
	for (size_t i = 0; i < sizeof rules / sizeof rules[0] && !err; i++) {
		size_t count = 0;
		struct upkeep_in in = {run->now_ms - (rules[i].kept ? KEPT_MS : 0), AT_ONCE};
		err = rules[i].clear(db, &in, count_one, &count);
		run->more = run->more || count == AT_ONCE;
		all += count;
	}
	if (!err)
		err = clear_keys(db, run, &keys);
	run->more = run->more || keys == AT_ONCE;
	buf_fmt(&run->result, "%zu access tokens and %zu other tokens, sessions and invitations cleared away", keys,
		all);
	return err;
}

static void told(void *ctx)
{
	changes_ring(ctx, CHANGES_COMMITTED);
}

void accounts_upkeep(struct jobs *jobs, struct changes *feed)
{
	jobs_add(jobs, &(struct job_spec){JOB_ACCOUNTS, PERIOD_MS, step, told, feed});
}
