/* The folder of a run, and what of it a resume goes on from: see run_priv.h. */
#include "sim/readfile.h"
#include "sim/run_priv.h"
#include "sim/wholefile.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define SETTINGS "run.json"
#define AGENTS   "agents.csv"

/* A store's address may hold a password. */
enum { SETTINGS_BYTES_MAX = 1 << 20, OWNER_ALONE = 0600 };

/* ---- run.json: the flags, with a seed and all that was left to its default ---- */

static struct str settings_path(const struct run *r)
{
	return arena_fmt(r->config.arena, "%.*s/" SETTINGS, STRF(r->folder.run_dir));
}

static enum err write_settings(struct run *r, struct problem *p)
{
	uint64_t left_out = run_settings_of_process();
	struct sim_run_args all = *r->args;
	struct buf b = BUF_INIT(0);
	enum err e;

	for (uint32_t i = 0; i < type_sim_run_args.field_count; i++)
		if (type_sim_run_args.fields[i].fallback)
			all.seen |= UINT64_C(1) << i;
	if (all.population.n || all.from_directory)
		left_out |= BIT(sim_run_args, agents);
	json_encode(&type_sim_run_args, &all, left_out, &b);
	buf_c(&b, '\n');
	e = wholefile_put(r->folder.run_dir, SETTINGS, OWNER_ALONE, buf_str(&b), p);
	buf_free(&b);
	return e;
}

/* ---- agents.csv: who took part, of a directory that goes on changing ---- */

struct str run_agents_path(const struct run *r)
{
	return arena_fmt(r->config.arena, "%.*s/" AGENTS, STRF(r->folder.run_dir));
}

static enum err write_agents(struct run *r, struct problem *p)
{
	struct buf b = BUF_INIT((size_t)1 << 30);
	enum err e;

	population_write(r->population, POPULATION_CSV, 0, population_count(r->population), &b);
	e = wholefile_put(r->folder.run_dir, AGENTS, OWNER_ALONE, buf_str(&b), p);
	buf_free(&b);
	return e;
}

/* ---- under-way: there while the run goes ---- */

static struct str under_way_path(const struct run *r)
{
	return arena_fmt(r->config.arena, "%.*s/under-way", STRF(r->folder.run_dir));
}

static enum err mark_under_way(struct run *r, struct problem *p)
{
	struct str path = under_way_path(r);
	int fd = open(path.p, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	if (fd < 0)
		return problem_set(p, ERR_STORE_FULL, "cannot write %.*s: %s", STRF(path), strerror(errno));
	close(fd);
	return OK;
}

void run_is_whole(struct run *r)
{
	unlink(under_way_path(r).p);
}

/* ---- what a resume reads ---- */

static enum err read_settings(struct run *r, struct problem *p)
{
	struct sim_run_args before;
	struct str text;
	enum err e = readfile_there(settings_path(r), "settings of the run", SETTINGS_BYTES_MAX, r->config.arena,
				    &text, p);

	if (!e)
		e = json_decode(&type_sim_run_args, text, run_settings_of_process(), r->config.arena, &before, p);
	if (!e)
		e = run_settings_take_over(r->args, &before, p);
	return e ? e : run_settings_read(r->args, r->config.arena, &r->settings, p);
}

/* ---- the folder ---- */

static void note(void *ctx, const char *line)
{
	run_say(ctx, "warning   %s", line);
}

static enum err load_checkpoint(struct run *r, struct problem *p)
{
	enum err e = checkpoint_load(r->folder.checkpoints, r->args->checkpoint, clock_now_ms(r->config.wall),
				     r->config.arena, &r->checkpoint, note, r, p);

	r->has_checkpoint = !e;
	return e;
}

/* Without a checkpoint, the latest run goes on from its beginning. */
static enum err find_run(struct run *r, struct str *run, struct problem *p)
{
	enum err e = load_checkpoint(r, p);

	*run = e ? rundir_latest(r->folder.dir, r->config.arena) : r->checkpoint.run_id;
	if (e != ERR_NOT_FOUND || r->args->checkpoint.n)
		return e;
	if (!run->n)
		return problem_set(p, ERR_NOT_FOUND,
				   "there is no run in %.*s to go on with; leave --resume out to begin one",
				   STRF(r->folder.dir));
	run_say(r, "note      %.*s has no whole checkpoint: it goes on from its beginning", STRF(*run));
	return OK;
}

enum err run_open_folder(struct run *r, struct problem *p)
{
	struct str run;
	enum err e = rundir_open(r->args->dir, r->config.arena, &r->folder, p);

	r->has_folder = !e;
	if (e || !r->args->resume)
		return e;
	e = find_run(r, &run, p);
	if (!e)
		e = rundir_resume(&r->folder, run, p);
	return e ? e : read_settings(r, p);
}

/* One that could have been resumed is said to be there, unless --fresh says that it is known. */
static void mention_resumable(struct run *r)
{
	struct str latest = rundir_latest(r->folder.dir, r->config.arena);

	if (latest.n && !r->args->fresh)
		run_say(r,
			"note      %.*s is not gone on with (--resume); its checkpoints are kept in %.*s/runs/%.*s",
			STRF(latest), STRF(r->folder.dir), STRF(latest));
}

uint32_t run_first_cycle(const struct run *r)
{
	return r->has_checkpoint ? r->checkpoint.cycle + 1 : 0;
}

static enum err check_length(const struct run *r, struct problem *p)
{
	uint32_t done = run_first_cycle(r);

	if (r->args->cycles == 0 || (int64_t)done < r->args->cycles)
		return OK;
	if (r->was_cut_off && (int64_t)done == r->args->cycles)
		return OK; /* after its last checkpoint: what is left to do is to report */
	return problem_field(p, ERR_INVALID, "--cycles",
			     "the run has ended after %u cycles: give more to go on, or begin another with --fresh",
			     done);
}

static enum err check_checkpoint(const struct run *r, struct problem *p)
{
	enum err e;

	if (!r->has_checkpoint)
		return OK;
	e = checkpoint_fits(&r->checkpoint, scenario_name(r->scenario), scenario_hash(r->scenario), p);

	if (!e && r->checkpoint.seed != r->settings.seed)
		return problem_set(p, ERR_CONFLICT, "the checkpoint is of the seed %.*s, and run.json says %.*s",
				   STRF(r->checkpoint.seed_text), STRF(r->settings.seed_text));
	return e ? e : check_length(r, p);
}

/* Checkpoints that are later than the one it goes on from; all, if that one is not among them. */
static enum err set_others_aside(const struct run *r, struct problem *p)
{
	struct str file = r->args->checkpoint, latest = rundir_latest(r->folder.dir, r->config.arena);

	if (file.n == 0 || str_starts(file, r->folder.checkpoints))
		return checkpoint_set_aside(r->folder.checkpoints, run_first_cycle(r), r->folder.run_dir, p);
	return checkpoint_set_aside(r->folder.checkpoints, 0,
				    arena_fmt(r->config.arena, "%.*s/runs/%.*s", STRF(r->folder.dir), STRF(latest)),
				    p);
}

enum err run_enter_folder(struct run *r, struct problem *p)
{
	enum err e;

	if (r->args->resume) {
		r->was_cut_off = access(under_way_path(r).p, F_OK) == 0;
		e = check_checkpoint(r, p);
		if (!e)
			e = set_others_aside(r, p);
	} else {
		mention_resumable(r);
		e = rundir_begin(&r->folder, clock_now_ms(r->config.wall), p);
	}
	if (!e && r->args->from_directory && !r->args->resume)
		e = write_agents(r, p);
	if (!e)
		e = write_settings(r, p);
	return e ? e : mark_under_way(r, p);
}
