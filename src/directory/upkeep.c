/* See upkeep.h. */
#include "directory/upkeep.h"

#include "base/arena.h"

enum { AT_ONCE = 1000, AGENTS_AT_ONCE = 200, EXPIRY_MS = 60000, TOMBSTONES_MS = 3600000 };

static const int64_t KEPT_MS = INT64_C(30) * 86400000;

/* ---- keys ---- */

struct cleared_keys {
	struct change_fact *facts;
	size_t count;
	int64_t now_ms;
};

static enum err tell_of_key(void *ctx, const void *row)
{
	struct cleared_keys *cleared = ctx;
	const struct key_place *key = row;
	cleared->facts[cleared->count++] = (struct change_fact){.tenant = key->tenant,
								.entity = ENTITY_KEY,
								.op = OP_DELETE,
								.ref = key->id,
								.at_ms = cleared->now_ms};
	return OK;
}

enum err upkeep_clear_keys(struct db *db, struct job_run *run, upkeep_clear_fn *clear, int64_t before_ms,
			   size_t *count)
{
	struct cleared_keys cleared = {.facts = ARENA_ARRAY(run->arena, struct change_fact, AT_ONCE),
				       .now_ms = run->now_ms};
	if (!cleared.facts)
		return ERR_INTERNAL;
	enum err err = clear(db, &(struct upkeep_in){before_ms, AT_ONCE}, tell_of_key, &cleared);
	*count = cleared.count;
	run->more = run->more || cleared.count == AT_ONCE;
	return err || !cleared.count ? err : q_change_add(db, cleared.facts, cleared.count);
}

/* ---- changes ---- */

/* The oldest changes, as far as each is older than `before_ms` and another follows. */
struct old_changes {
	int64_t before_ms, upto;
	struct change_row last; /* the one looked at before */
	size_t count;
	bool ended;
};

static enum err look_at_change(void *ctx, const void *row)
{
	struct old_changes *old = ctx;
	if (old->last.seq && !old->ended) {
		old->upto = old->last.seq;
		old->count++;
	}
	old->last = *(const struct change_row *)row;
	old->ended = old->ended || old->last.at_ms >= old->before_ms;
	return OK;
}

static enum err clear_changes(struct db *db, int64_t before_ms, size_t *count)
{
	struct old_changes old = {.before_ms = before_ms};
	enum err err = q_change_from(db, &(struct change_from_in){0, AT_ONCE + 1}, look_at_change, &old);
	*count = old.count;
	return err || !old.count ? err : q_change_clear(db, &(struct change_clear_in){old.upto});
}

/* ---- the jobs ---- */

static enum err expiry(void *ctx, struct db *db, struct job_run *run)
{
	const struct upkeep_config *config = ctx;
	size_t challenges = 0, signatures = 0, keys = 0, flips = 0, changes = 0;
	enum err err = q_challenge_expire(db, &(struct upkeep_in){run->now_ms, AT_ONCE}, db_count_row, &challenges);
	if (!err)
		err = q_signature_expire(db, &(struct upkeep_in){run->now_ms, AT_ONCE}, db_count_row, &signatures);
	if (!err)
		err = q_liveness_log_clear(db, &(struct upkeep_in){run->now_ms - KEPT_MS, AT_ONCE}, db_count_row,
					   &flips);
	if (!err)
		err = clear_changes(db, run->now_ms - config->changes_kept_ms, &changes);
	if (!err)
		err = upkeep_clear_keys(db, run, q_key_clear, run->now_ms - KEPT_MS, &keys);
	run->more = run->more || challenges == AT_ONCE || signatures == AT_ONCE || flips == AT_ONCE ||
		    changes == AT_ONCE;
	buf_fmt(&run->result,
		"%zu challenges, %zu signatures, %zu keys, %zu flips of liveness and %zu changes cleared away",
		challenges, signatures, keys, flips, changes);
	return err;
}

struct cleared_agents {
	struct id_row ids[AGENTS_AT_ONCE];
	size_t count;
};

static enum err note_agent(void *ctx, const void *row)
{
	struct cleared_agents *cleared = ctx;
	cleared->ids[cleared->count++] = *(const struct id_row *)row;
	return OK;
}

static enum err tombstones(void *ctx, struct db *db, struct job_run *run)
{
	(void)ctx;
	static enum err (*const beside[])(struct db *, const struct id_row *,
					  size_t) = {q_agent_card_delete, q_agent_capability_clear,
						     q_agent_liveness_clear, q_agent_log_clear, q_agent_key_clear};
	struct cleared_agents cleared = {0};
	struct upkeep_in in = {run->now_ms - KEPT_MS, AGENTS_AT_ONCE};
	enum err err = q_agent_clear(db, &in, note_agent, &cleared);
	for (size_t i = 0; !err && i < sizeof beside / sizeof *beside; i++)
		err = beside[i](db, cleared.ids, cleared.count);
	run->more = cleared.count == AGENTS_AT_ONCE;
	buf_fmt(&run->result, "%zu deleted agents cleared away", cleared.count);
	return err;
}

static void told(void *ctx)
{
	const struct upkeep_config *config = ctx;
	changes_ring(config->feed, CHANGES_COMMITTED);
}

void upkeep_add(const struct upkeep_config *config, struct jobs *jobs)
{
	void *ctx = (void *)(uintptr_t)config;
	jobs_add(jobs, &(struct job_spec){JOB_EXPIRY, EXPIRY_MS, expiry, told, ctx});
	jobs_add(jobs, &(struct job_spec){JOB_TOMBSTONES, TOMBSTONES_MS, tombstones, NULL, ctx});
}
