/* See upkeep.h. */
#include "accounts/upkeep.h"

#include "directory/upkeep.h"

enum { AT_ONCE = 1000, PERIOD_MS = 60000, HOUR_MS = 3600000 };

static const int64_t KEPT_MS = INT64_C(30) * 86400000;

/* What goes when its time was so long ago. */
static const struct rule {
	upkeep_clear_fn *clear;
	bool kept; /* for KEPT_MS */
} rules[] = {
	{q_refresh_token_clear, false}, {q_ticket_clear, false},       {q_password_reset_clear, false},
	{q_invitation_clear, true},     {q_sign_in_clear_ended, true}, {q_sign_in_clear_expired, true},
};

/* ---- the job ---- */

static enum err step(void *ctx, struct db *db, struct job_run *run)
{
	(void)ctx;
	size_t all = 0, keys = 0;
	enum err err = OK;
	for (size_t i = 0; i < sizeof rules / sizeof rules[0] && !err; i++) {
		size_t count = 0;
		struct upkeep_in in = {run->now_ms - (rules[i].kept ? KEPT_MS : 0), AT_ONCE};
		err = rules[i].clear(db, &in, db_count_row, &count);
		run->more = run->more || count == AT_ONCE;
		all += count;
	}
	if (!err)
		err = upkeep_clear_keys(db, run, q_key_clear_of_users, run->now_ms - HOUR_MS, &keys);
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
