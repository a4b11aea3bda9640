/* Which checkpoint is kept, and which is loaded. */
#include "sim/checkpoint.h"

#include "base/clock.h"
#include "base/magic.h"
#include "sim/checkpoint_priv.h"
#include "sim/checkpoint_types.h"

#include <inttypes.h>
#include <string.h>

enum { CLOCKS_APART_MS = 60000 };

/* ---- saving ---- */

static bool is_same(const struct checkpoint_name *a, const struct checkpoint_name *b)
{
	return strcmp(a->stem, b->stem) == 0;
}

/* All but the five of the highest cycles; never the one just made, which is known to be whole. */
static void prune(struct str dir, const struct checkpoint_name *made, struct arena *a)
{
	struct checkpoint_name *names;
	unsigned kept = 1;
	size_t count;

	if (checkpoint_names(dir, a, &names, &count, NULL))
		return;
	for (size_t i = 0; i < count; i++) {
		if (!is_same(&names[i], made) && ++kept > CHECKPOINTS_KEPT)
			checkpoint_remove(dir, &names[i]);
	}
	checkpoint_sweep(dir);
}

enum err checkpoint_save(struct str dir, const struct checkpoint *c, struct arena *a, struct str *path,
			 struct problem *p)
{
	struct buf memory = BUF_INIT((size_t)CHECKPOINT_AGENTS_MAX * CHECKPOINT_MEMORY_EACH),
		   json = BUF_INIT(CHECKPOINT_JSON_MAX);
	struct checkpoint_name name;
	enum err e = OK;

	checkpoint_name_make(dir, c->cycle, c->saved_ms, &name);
	checkpoint_write_memory(c, &memory);
	if (!buf_ok(&memory) || !checkpoint_write_json(c, buf_str(&memory), &json))
		e = problem_set(p, ERR_TOO_LARGE, "no checkpoint was written: it would be too large");
	if (!e)
		e = checkpoint_put(dir, &name, buf_str(&json), buf_str(&memory), p);
	if (!e) {
		*path = arena_fmt(a, "%.*s/%s" CHECKPOINT_JSON, STRF(dir), name.stem);
		prune(dir, &name, a);
	}
	buf_free(&memory);
	buf_free(&json);
	return e;
}

/* ---- loading ---- */

static enum err read_one(struct str dir, struct str stem, struct arena *a, struct checkpoint *out,
			 struct problem *p)
{
	struct checkpoint_file file;
	struct str json, memory;
	enum err e = checkpoint_get(dir, stem, CHECKPOINT_JSON, CHECKPOINT_JSON_MAX, a, &json, p);

	if (!e)
		e = checkpoint_read_json(json, a, out, &file, p);
	if (e)
		return e;
	e = checkpoint_get(dir, stem, CHECKPOINT_AGENTS, (size_t)CHECKPOINT_AGENTS_MAX * CHECKPOINT_MEMORY_EACH, a,
			   &memory, p);
	if (!e)
		e = checkpoint_read_memory(memory, &file, a, out, p);
	if (e)
		checkpoint_release(out);
	return e;
}

struct telling {
	checkpoint_note_fn *note;
	void *ctx;
};

static void tell_passed_over(const struct telling *to, const char *stem, const struct problem *why)
{
	struct buf line = BUF_INIT(0);

	buf_fmt(&line, "passed over the checkpoint %s" CHECKPOINT_JSON ": %s", stem, why->detail);
	to->note(to->ctx, buf_cstr(&line));
	buf_free(&line);
}

/* Nothing depends on when it was saved, so that is no reason to refuse it. */
static void tell_future(const struct telling *to, const struct checkpoint *c, int64_t now_ms)
{
	struct buf line = BUF_INIT(0);
	char saved[CLOCK_TEXT];

	if (c->saved_ms <= now_ms + CLOCKS_APART_MS)
		return;
	clock_format(c->saved_ms, saved);
	buf_fmt(&line,
		"the checkpoint of cycle %" PRIu32 " says it was saved at %s, which is yet to come: the clock was "
		"set back since; it is taken all the same",
		c->cycle, saved);
	to->note(to->ctx, buf_cstr(&line));
	buf_free(&line);
}

static enum err load_newest(struct str dir, struct arena *a, struct checkpoint *out, const struct telling *to,
			    struct problem *p)
{
	struct checkpoint_name *names;
	size_t count;
	enum err e = checkpoint_names(dir, a, &names, &count, p);

	if (e)
		return e;
	for (size_t i = 0; i < count; i++) {
		struct problem why = {0};

		if (read_one(dir, str_of(names[i].stem), a, out, &why) == OK)
			return OK;
		tell_passed_over(to, names[i].stem, &why);
	}
	if (count)
		return problem_set(p, ERR_NOT_FOUND,
				   "none of the checkpoints in %.*s is whole: begin anew with --fresh", STRF(dir));
	return problem_set(p, ERR_NOT_FOUND, "there is no checkpoint in %.*s: begin anew with --fresh", STRF(dir));
}

static enum err load_file(struct str file, struct arena *a, struct checkpoint *out, struct problem *p)
{
	const char *slash = memrchr(file.p, '/', file.n);
	struct str dir = slash ? (struct str){file.p, (size_t)(slash - file.p)} : STR(".");
	struct str name = slash ? (struct str){slash + 1, (size_t)(file.p + file.n - slash - 1)} : file;
	struct problem why = {0};
	size_t ending = strlen(CHECKPOINT_JSON);
	enum err e;

	if (name.n <= ending || !str_eqz((struct str){name.p + name.n - ending, ending}, CHECKPOINT_JSON))
		return problem_set(p, ERR_USAGE,
				   "%.*s is no checkpoint: name its file, which ends in " CHECKPOINT_JSON,
				   STRF(file));
	name.n -= ending;
	e = read_one(slash == file.p ? STR("/") : dir, name, a, out, &why);
	if (e)
		return problem_set(p, why.err, "the checkpoint %.*s cannot be resumed: %s", STRF(file), why.detail);
	return OK;
}

enum err checkpoint_load(struct str dir, struct str file, int64_t now_ms, struct arena *a, struct checkpoint *out,
			 checkpoint_note_fn *note, void *ctx, struct problem *p)
{
	const struct telling to = {note, ctx};
	enum err e = file.n ? load_file(file, a, out, p) : load_newest(dir, a, out, &to, p);

	if (!e)
		tell_future(&to, out, now_ms);
	return e;
}

enum err checkpoint_fits(const struct checkpoint *c, struct str scenario_name, uint64_t scenario_hash,
			 struct problem *p)
{
	if (!str_eq(c->scenario_name, scenario_name))
		return problem_set(
			p, ERR_CONFLICT,
			"the checkpoint is of the scenario %.*s, and this is %.*s: resume it with its own, or "
			"begin anew with --fresh",
			STRF(c->scenario_name), STRF(scenario_name));
	if (c->scenario_hash != scenario_hash)
		return problem_set(
			p, ERR_CONFLICT,
			"the scenario %.*s or its parameters were changed since the checkpoint was made: "
			"resume it as it was, or begin anew with --fresh",
			STRF(scenario_name));
	return OK;
}
