/* The row of a run: written when it begins, found and counted up when it is resumed. */
#include "sim/recorder_priv.h"

#include "store/transaction.h"

struct beginning {
	const struct run_identity *id;
	int64_t run;
	bool resume;
	struct arena *arena;
	struct recorder_seen *seen;
	struct problem *problem;
};

static enum err insert(const struct beginning *b, struct db *db)
{
	const struct run_identity *id = b->id;

	*b->seen = (struct recorder_seen){.attempt = b->resume, .whole = -1};
	return q_sim_run_insert(db, &(struct sim_run_row){
					    .run = b->run,
					    .name = id->run_id,
					    .title = id->title,
					    .seed = id->seed,
					    .scenario = id->scenario,
					    .scenario_hash = (int64_t)id->scenario_hash,
					    .population = id->population,
					    .target = id->target,
					    .version = id->version,
					    .agents = id->agents,
					    .attempts = b->resume,
					    .started_ms = id->started_ms,
					    .is_simulated = true,
				    });
}

static enum err refuse(const struct beginning *b, const char *what, struct str then, struct str now)
{
	return problem_set(
		b->problem, ERR_CONFLICT,
		"the records of %.*s are of the %s %.*s, and this is %.*s: resume it as it was, or begin "
		"a run of its own with --fresh",
		STRF(b->id->run_id), what, STRF(then), STRF(now));
}

static enum err compare(const struct beginning *b, const struct sim_run_row *row)
{
	const struct run_identity *id = b->id;

	if (!b->resume)
		return problem_set(
			b->problem, ERR_ALREADY_EXISTS,
			"there are records of %.*s already: resume it, or begin another run with --fresh",
			STRF(id->run_id));
	if (!str_eq(row->seed, id->seed))
		return refuse(b, "seed", row->seed, id->seed);
	if (!str_eq(row->scenario, id->scenario))
		return refuse(b, "scenario", row->scenario, id->scenario);
	if (row->scenario_hash != (int64_t)id->scenario_hash)
		return problem_set(
			b->problem, ERR_CONFLICT,
			"the scenario %.*s was changed since the records of %.*s were begun: resume it as it "
			"was, or begin a run of its own with --fresh",
			STRF(id->scenario), STRF(id->run_id));
	return OK;
}

static enum err take_ended(void *seen, const void *row)
{
	const struct sim_run_ended_out *out = row;

	*VEC_PUSH(&((struct recorder_seen *)seen)->ended) = (uint32_t)out->agent;
	return OK;
}

/* Where the attempt before was cut off. */
static enum err find_cut(const struct beginning *b, struct db *db, int64_t attempt)
{
	struct sim_run_ended_in ended = {.run = b->run, .attempt = attempt};
	struct sim_run_whole_out whole;
	enum err e = q_sim_run_whole(db, &(struct sim_run_whole_in){b->run, attempt}, b->arena, &whole);

	if (e)
		return e;
	b->seen->whole = ended.cycle = whole.cycle;
	b->seen->ended.n = 0; /* a transaction that is run again finds them again */
	return q_sim_run_ended(db, &ended, take_ended, b->seen);
}

static enum err go_on(const struct beginning *b, struct db *db, const struct sim_run_row *row)
{
	struct sim_run_attempt_in attempt = {.run = b->run, .attempts = row->attempts + 1};
	struct sim_run_last_cycle_out last;
	enum err e = compare(b, row);

	if (!e)
		e = q_sim_run_last_cycle(db, &(struct sim_run_last_cycle_in){b->run}, b->arena, &last);
	if (!e)
		e = q_sim_run_attempt(db, &attempt);
	if (e)
		return e;
	b->seen->any = last.cycle >= 0;
	b->seen->last_cycle = last.cycle >= 0 ? (uint32_t)last.cycle : 0;
	b->seen->attempt = (uint32_t)attempt.attempts;
	return find_cut(b, db, row->attempts);
}

static enum err begin(void *ctx, struct db *db)
{
	const struct beginning *b = ctx;
	struct sim_run_row row;
	enum err e = q_sim_run_get(db, &(struct sim_run_get_in){b->run}, b->arena, &row);

	if (e == ERR_NOT_FOUND)
		return insert(b, db);
	return e ? e : go_on(b, db, &row);
}

enum err recorder_run_begin(struct db *db, const struct run_identity *id, int64_t run, bool resume,
			    struct recorder_seen *seen, struct problem *p)
{
	struct arena *a = arena_new(1 << 20);
	struct problem why = {0};
	struct beginning b = {.id = id, .run = run, .resume = resume, .arena = a, .seen = seen, .problem = &why};
	enum err e = transaction_run(db, a, begin, &b);

	if (e && why.err)
		*p = why;
	else if (e)
		problem_set(p, e, "the run's own row could not be written: %s", err_info(e)->title);
	arena_destroy(&a);
	return e;
}
