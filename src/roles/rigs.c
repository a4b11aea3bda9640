/*
 * The rigs of a town: found when they are asked for, each with its two files and what the town's file says of it.
 */
#include "roles/town_priv.h"

#include <string.h>

enum { RIGS_NAMED = 5 }; /* to whoever asked for one that is not there */

static bool could_be_a_rig(struct str name)
{
	return name.n && name.n <= 255 && name.p[0] != '.' && !memchr(name.p, '/', name.n) &&
	       !memchr(name.p, '\0', name.n);
}

/* The folder of the rig with a '/' at its end, as must_alloc() gives it. */
static struct str rig_folder(const struct town *t, struct str name)
{
	size_t n = t->dir.n + 1 + name.n + 1;
	char *p = must_alloc(n + 1);

	memcpy(p, t->dir.p, t->dir.n);
	p[t->dir.n] = '/';
	memcpy(p + t->dir.n + 1, name.p, name.n);
	p[n - 1] = '/';
	return (struct str){p, n};
}

static struct rig_entry *rig_entry_new(const struct town *t, struct str name)
{
	struct rig_entry *r = NEW(struct rig_entry);
	struct str folder = rig_folder(t, name);
	char *own = must_alloc(name.n + 1);

	memcpy(own, name.p, name.n);
	r->rig.name = (struct str){own, name.n};
	slot_init(&r->settings, FILE_RIG_SETTINGS, folder, "settings/config.json", t->dir.n + 1);
	slot_init(&r->registry, FILE_REGISTRY, folder, "settings/agents.json", t->dir.n + 1);
	free((void *)(uintptr_t)folder.p);
	return r;
}

void rig_entry_free(struct rig_entry **r)
{
	if (!*r)
		return;
	slot_free(&(*r)->settings);
	slot_free(&(*r)->registry);
	slot_free(&(*r)->registry_alone);
	free((void *)(uintptr_t)(*r)->rig.name.p);
	free(*r);
	*r = NULL;
}

static struct rig_entry *rig_entry_find(const struct town *t, struct str name)
{
	struct rig_entry *r = map_get(&t->rigs, str_hash(name));

	while (r && !str_eq(r->rig.name, name))
		r = r->same_hash;
	return r;
}

static const struct settings *part_of(const struct settings *town, struct str rig)
{
	size_t low = 0, high = town->rig_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (str_cmp(town->rigs[middle].name, rig) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return rig.n && low < town->rig_count && str_eq(town->rigs[low].name, rig) ? &town->rigs[low].settings
										   : NULL;
}

/* Member by member: a rig's file goes before what the town's says of the rig. */
static void merge_agents(struct settings *file, const struct settings *part)
{
	if (!file->agents.n)
		file->agents = part->agents;
	if (!file->role_agents.n)
		file->role_agents = part->role_agents;
	if (!file->worker_agents.n)
		file->worker_agents = part->worker_agents;
	if (!file->polecat_agents.n)
		file->polecat_agents = part->polecat_agents;
	if (!file->type_agents.n)
		file->type_agents = part->type_agents;
	if (!file->default_agent.n) {
		file->default_agent = part->default_agent;
		file->default_agent_at = part->default_agent_at;
	}
	if (!file->runtime) {
		file->runtime = part->runtime;
		file->runtime_at = part->runtime_at;
	}
}

static void merge_rest(struct settings *file, const struct settings *part)
{
	if (!file->role_effort.n)
		file->role_effort = part->role_effort;
	if (!file->account_count) {
		file->accounts = part->accounts;
		file->account_count = part->account_count;
	}
	if (!file->pool_count) {
		file->pools = part->pools;
		file->pool_count = part->pool_count;
	}
	if (!file->budget_count) {
		file->budgets = part->budgets;
		file->budget_count = part->budget_count;
	}
}

static void look_at_rig_settings(struct town *t, struct rig_entry *r, const struct look *l)
{
	const struct settings *part = part_of(town_settings(t), r->rig.name);

	r->rig.own = &slot_look(&r->settings, l)->settings;
	r->merged = *r->rig.own;
	if (part) {
		merge_agents(&r->merged, part);
		merge_rest(&r->merged, part);
	}
	r->rig.settings = &r->merged;
}

/* Its entries lie over the town's: when those have changed, they are laid anew. */
static void look_at_rig(struct town *t, struct rig_entry *r)
{
	struct look l = town_look(t);

	l.under = town_registry(t);
	look_at_rig_settings(t, r, &l);
	l.again = r->under_version != t->registry.version && r->registry.state == FILE_READ;
	r->under_version = t->registry.version;
	r->rig.registry = &slot_look(&r->registry, &l)->agents;
	r->registry.content->agents.under = l.under;
}

static bool folder_exists(struct town *t, struct str name)
{
	struct str folder = rig_folder(t, name);
	char *path = (char *)(uintptr_t)folder.p;
	struct stamp stamp;
	enum err e;

	path[folder.n - 1] = '\0';
	e = t->files->stat(t->files, path, &stamp, NULL);
	free(path);
	return e == ERR_INVALID; /* a folder is no file to read; a file of that name is no rig */
}

static bool exists(struct town *t, struct rig_entry *r)
{
	if (r->settings.state != FILE_MISSING || r->registry.state != FILE_MISSING)
		return true;
	if (r->seen != t->generation)
		r->exists = folder_exists(t, r->rig.name);
	r->seen = t->generation;
	return r->exists;
}

const struct rig *town_rig(struct town *t, struct str name)
{
	struct rig_entry *r;
	bool is_new;

	if (!could_be_a_rig(name))
		return NULL;
	r = rig_entry_find(t, name);
	is_new = !r;
	if (is_new)
		r = rig_entry_new(t, name);
	look_at_rig(t, r);
	if (exists(t, r)) {
		if (is_new)
			r->same_hash = map_put(&t->rigs, str_hash(name), r);
		return &r->rig;
	}
	if (is_new) /* nothing is remembered of names that anybody may ask for */
		rig_entry_free(&r);
	return NULL;
}

const struct rig *town_rig_here(struct town *t)
{
	if (!t->here) {
		t->here = NEW(struct rig_entry);
		slot_init(&t->here->settings, FILE_RIG_SETTINGS, (struct str){0}, "settings/config.json", 0);
		slot_init(&t->here->registry, FILE_REGISTRY, (struct str){0}, "settings/agents.json", 0);
	}
	look_at_rig(t, t->here);
	return &t->here->rig;
}

const struct agents *town_registry_alone(struct town *t, const struct rig *rig)
{
	struct rig_entry *r = rig->name.n ? rig_entry_find(t, rig->name) : t->here;
	struct look l = town_look(t);

	if (!r->registry_alone.path)
		slot_init(&r->registry_alone, FILE_REGISTRY, (struct str){0}, r->registry.path,
			  (size_t)(r->registry.shown - r->registry.path));
	return &slot_look(&r->registry_alone, &l)->agents;
}

/* ---- the list of rigs ---- */

static int by_text(const void *a, const void *b)
{
	return str_cmp(*(const struct str *)a, *(const struct str *)b);
}

static bool is_named(const struct texts *names, struct str name)
{
	return names->n && bsearch(&name, names->v, names->n, sizeof(*names->v), by_text);
}

static bool has_settings(struct town *t, struct str name)
{
	struct str folder = rig_folder(t, name);
	static const char *const files[] = {"settings/config.json", "settings/agents.json"};
	struct stamp stamp;
	struct slot s;
	bool has = false;

	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]) && !has; i++) {
		slot_init(&s, FILE_RIG_SETTINGS, folder, files[i], 0);
		has = t->files->stat(t->files, s.path, &stamp, NULL) != ERR_NOT_FOUND;
		slot_free(&s);
	}
	free((void *)(uintptr_t)folder.p);
	return has;
}

static struct str what_to_name(struct str wrong, const struct str *names, size_t n, struct arena *a)
{
	struct guess g = guess_for(wrong);
	struct str all = {0};

	for (size_t i = 0; i < n; i++)
		guess_offer(&g, names[i]);
	if (g.nearest.n)
		return arena_fmt(a, "did you mean %.*s?", STRF(g.nearest));
	for (size_t i = 0; i < n && i < RIGS_NAMED; i++)
		all = arena_fmt(a, "%.*s%s%.*s", STRF(all), i ? ", " : "", STRF(names[i]));
	if (n == 0)
		return STR("it has none with files");
	return arena_fmt(a, "its rigs are %.*s%s", STRF(all), n > RIGS_NAMED ? ", \xe2\x80\xa6" : "");
}

struct str town_no_rig_text(struct town *t, struct str name, struct arena *a)
{
	struct str *names = NULL;
	size_t n = 0;

	town_rigs(t, a, &names, &n, NULL);
	return arena_fmt(a, "there is no rig \"%.*s\" in %.*s; %.*s", STRF(name), STRF(t->dir),
			 STRF(what_to_name(name, names, n, a)));
}

enum err town_rigs(struct town *t, struct arena *a, struct str **names, size_t *count, struct problem *p)
{
	struct look l = town_look(t);
	struct texts named = slot_look(&t->rig_names, &l)->names;
	char *dir = arena_z(a, t->dir);
	struct str *all;
	size_t n, kept = 0;
	enum err e = t->files->list(t->files, dir, true, a, &all, &n, p);

	if (e != OK)
		return e;
	if (named.n)
		qsort(named.v, named.n, sizeof(*named.v), by_text);
	for (size_t i = 0; i < n; i++)
		if (could_be_a_rig(all[i]) &&
		    (is_named(&named, all[i]) || part_of(town_settings(t), all[i]) || has_settings(t, all[i])))
			all[kept++] = all[i];
	*names = all;
	*count = kept;
	return OK;
}
