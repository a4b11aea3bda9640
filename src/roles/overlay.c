/*
 * A town as it would be: its files with drafts in place of some of them, and whether it still answers.
 */
#include "roles/edit_priv.h"

#include "base/magic.h"

#include <string.h>

/* ---- files ---- */

static struct overlay *overlay_of(struct files *f)
{
	return CONTAINER_OF(f, struct overlay, files);
}

/* A draft that changes nothing, perhaps because there is no file, is none. */
static const struct draft *draft_at(const struct overlay *v, const char *path)
{
	for (size_t i = 0; i < v->count; i++)
		if (strcmp(v->drafts[i].path, path) == 0 && draft_changed(&v->drafts[i]))
			return &v->drafts[i];
	return NULL;
}

static struct stamp stamp_of(const struct draft *d)
{
	return (struct stamp){.device = UINT64_MAX, .inode = 1, .size = d->is.text.n};
}

static enum err overlay_stat(struct files *f, const char *path, struct stamp *out, struct problem *p)
{
	const struct overlay *v = overlay_of(f);
	const struct draft *d = draft_at(v, path);

	if (!d)
		return v->below->stat(v->below, path, out, p);
	*out = stamp_of(d);
	return OK;
}

static enum err overlay_read(struct files *f, const char *path, size_t max_bytes, struct arena *a, struct str *out,
			     struct stamp *stamp, struct problem *p)
{
	const struct overlay *v = overlay_of(f);
	const struct draft *d = draft_at(v, path);

	if (!d)
		return v->below->read(v->below, path, max_bytes, a, out, stamp, p);
	if (d->is.text.n > max_bytes)
		return problem_set(p, ERR_TOO_LARGE, "%s: would have %zu bytes", path, d->is.text.n);
	*out = d->is.text;
	*stamp = stamp_of(d);
	return OK;
}

static enum err overlay_list(struct files *f, const char *path, bool folders, struct arena *a, struct str **names,
			     size_t *count, struct problem *p)
{
	struct files *below = overlay_of(f)->below;

	return below->list(below, path, folders, a, names, count, p);
}

static enum err overlay_write(struct files *f, const char *path, struct str text, const struct stamp *was,
			      struct problem *p)
{
	(void)f, (void)text, (void)was;
	return problem_set(p, ERR_INTERNAL, "%s: what is only tried is not written", path);
}

static bool overlay_executable(struct files *f, struct str command)
{
	struct files *below = overlay_of(f)->below;

	return below->executable(below, command);
}

static const char *overlay_env(struct files *f, const char *name)
{
	struct files *below = overlay_of(f)->below;

	return below->env(below, name);
}

static int64_t overlay_now_ms(struct files *f)
{
	struct files *below = overlay_of(f)->below;

	return below->now_ms(below);
}

enum err overlay_town(struct desk *k, struct overlay *v, const struct draft *drafts, size_t count,
		      struct town **out)
{
	*v = (struct overlay){.files = {.stat = overlay_stat,
					.read = overlay_read,
					.list = overlay_list,
					.write = overlay_write,
					.executable = overlay_executable,
					.env = overlay_env,
					.now_ms = overlay_now_ms},
			      .below = town_files(k->town),
			      .drafts = drafts,
			      .count = count};
	return town_open(&v->files, town_dir(k->town), (struct str){0}, out, k->p);
}

/* ---- answers ---- */

struct trial {
	struct desk *k;
	struct town *after;
	struct arena *answers;
};

static enum err ask(struct trial *t, struct town *town, const struct role_query *q, struct problem *p)
{
	struct role_answer answer;
	enum err e = role_resolve(town, q, NULL, t->answers, &answer, p);

	arena_reset(t->answers);
	return e;
}

static enum err compare(struct trial *t, struct str role, struct str rig)
{
	const struct role_query q = {.role = role, .rig = rig};
	struct problem after = {0};

	if (ask(t, t->after, &q, &after) == OK || ask(t, t->k->town, &q, NULL) != OK)
		return OK;
	return problem_set(t->k->p, ERR_INVALID, "not written, because %.*s%s%.*s would not resolve: %s",
			   STRF(role), rig.n ? " of " : "", STRF(rig), after.detail);
}

static enum err compare_in_rigs(struct trial *t, struct str role)
{
	struct str *names;
	size_t count = 0;
	enum err e = OK;

	if (t->k->o->rig.n)
		return compare(t, role, t->k->o->rig);
	e = town_rigs(t->k->town, t->k->arena, &names, &count, t->k->p);
	for (size_t i = 0; e == OK && i < count; i++)
		e = compare(t, role, names[i]);
	return e;
}

static enum err compare_all(struct trial *t, enum role wanted)
{
	enum err e = OK;

	for (unsigned role = 0; e == OK && role < ROLE_COUNT; role++) {
		if (wanted != ROLE_UNKNOWN && wanted != (enum role)role)
			continue;
		if (role_works_in_rig((enum role)role))
			e = compare_in_rigs(t, str_of(role_texts[role]));
		else if (!t->k->o->rig.n)
			e = compare(t, str_of(role_texts[role]), (struct str){0});
	}
	return e;
}

enum err check_answers(struct desk *k, const struct draft *drafts, size_t count, enum role role)
{
	struct overlay v;
	struct trial t = {.k = k};
	enum err e;

	if (k->o->force)
		return OK;
	e = overlay_town(k, &v, drafts, count, &t.after);
	if (e != OK)
		return e;
	t.answers = arena_new((size_t)64 << 20);
	e = compare_all(&t, role);
	arena_destroy(&t.answers);
	town_close(&t.after);
	return e;
}
