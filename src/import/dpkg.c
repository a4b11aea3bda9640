/*
 * The package database of a Debian machine (deb-control(5), dpkg's status file) as a task graph.
 *
 * First all stanzas are read (control.c). Installed packages are kept and indexed by their name and by what they
 * provide. Then each becomes an item, and each of its dependencies an edge to the package that satisfies it:
 *
 *   a | b        the first alternative that is installed, or that an installed package provides
 *   a:any, a:arm64   as they say; without a word on it, one of the same architecture is preferred
 *   a (>= 2)     the version is read and not compared: dpkg has seen to it
 *   itself       no edge
 *
 * The key is the name under which dpkg keeps the package's files in its info directory: with the architecture for
 * "Multi-Arch: same", else without. So whoever works on the item finds them by the key alone.
 */
#include "import/control_priv.h"
#include "import/import_priv.h"

#include "base/map.h"

#include <inttypes.h>
#include <string.h>

enum {
	TITLE_MAX = 256,
	DESCRIPTION_MAX = 16384,
	WORD_MAX = 256,
	SYNOPSIS_MAX = 1024,
	NAME_MAX_BYTES = 200,
	QUOTE_MAX = 80
};

enum package_field {
	PACKAGE,
	STATUS,
	VERSION,
	ARCHITECTURE,
	MULTI_ARCH,
	SECTION,
	INSTALLED_SIZE,
	DESCRIPTION,
	PRE_DEPENDS,
	DEPENDS,
	PROVIDES,
	FIELD_COUNT,
};

static const char *const field_names[FIELD_COUNT] = {
	[PACKAGE] = "Package",
	[STATUS] = "Status",
	[VERSION] = "Version",
	[ARCHITECTURE] = "Architecture",
	[MULTI_ARCH] = "Multi-Arch",
	[SECTION] = "Section",
	[INSTALLED_SIZE] = "Installed-Size",
	[DESCRIPTION] = "Description",
	[PRE_DEPENDS] = "Pre-Depends",
	[DEPENDS] = "Depends",
	[PROVIDES] = "Provides",
};

struct package {
	struct package *same_hash; /* of another package or arch with that hash of the name */
	struct stanza stanza;
	struct str name, architecture;
	struct str key;
	size_t wanted_by; /* the last package with an edge to it, from 1 */
};

struct provider {
	struct provider *same_hash;
	struct str name;
	struct package *package;
};

/* name:architecture, as in Depends and Provides. */
struct relation {
	struct str name, architecture;
};

struct dpkg {
	const struct import_options *options;
	struct arena *arena;
	struct import_result *out;
	struct package **packages;
	size_t count, capacity;
	struct map by_name, by_provided;
	bool full; /* the arena is: nothing more is worth doing */
};

static struct str shortened(struct str s)
{
	return (struct str){s.p, s.n < QUOTE_MAX ? s.n : QUOTE_MAX};
}

static void remark(struct dpkg *d, size_t line, bool refused, struct str text)
{
	d->full |= !import_add_fault(d->out, d->arena, line, refused, text);
}

/* ---- packages ---- */

/* Strict, because names become parts of paths. */
static bool is_name(struct str s)
{
	bool good = s.n > 0 && s.n <= NAME_MAX_BYTES && s.p[0] != '.' && s.p[0] != '-';

	for (size_t i = 0; good && i < s.n; i++) {
		char c = s.p[i];

		good = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '+' ||
		       c == '-' || c == '.' || c == '_';
	}
	return good;
}

static void keep_package(struct dpkg *d, const struct stanza *s)
{
	struct package **v = import_room(d->arena, d->packages, d->count, &d->capacity, sizeof(struct package *));
	struct package *p = ARENA_NEW(d->arena, struct package);

	if (!v || !p) {
		d->full = true;
		return;
	}
	p->stanza = *s;
	p->name = str_trim(s->fields[PACKAGE]);
	p->architecture = str_trim(s->fields[ARCHITECTURE]);
	p->key = p->name;
	if (str_eqz(str_trim(s->fields[MULTI_ARCH]), "same"))
		p->key = arena_fmt(d->arena, "%.*s:%.*s", STRF(p->name), STRF(p->architecture));
	d->full |= !p->key.p;
	d->packages = v;
	d->packages[d->count++] = p;
}

static void take_stanza(struct dpkg *d, const struct stanza *s)
{
	struct str name = str_trim(s->fields[PACKAGE]), architecture = str_trim(s->fields[ARCHITECTURE]);

	if (!s->line || (s->fields[STATUS].p && !control_is_installed(s->fields[STATUS])))
		return;
	if (!s->fields[PACKAGE].p)
		remark(d, s->line, true, STR("an entry without Package"));
	else if (!s->fields[STATUS].p)
		remark(d, s->line, true,
		       arena_fmt(d->arena, "%.*s: an entry without Status", STRF(shortened(name))));
	else if (!is_name(name))
		remark(d, s->line, true,
		       arena_fmt(d->arena, "not the name of a package: %.*s", STRF(shortened(name))));
	else if (architecture.n && !is_name(architecture))
		remark(d, s->line, true,
		       arena_fmt(d->arena, "%.*s: not an architecture: %.*s", STRF(name),
				 STRF(shortened(architecture))));
	else
		keep_package(d, s);
}

static void on_remark(void *ctx, size_t line, struct str what)
{
	remark(ctx, line, false, what);
}

static void read_packages(struct dpkg *d, struct str text)
{
	const struct control control = {field_names, FIELD_COUNT, d->arena, on_remark, d};
	struct stanza s;
	size_t number = 0;

	while (!d->full && control_next(&control, &text, &number, &s))
		take_stanza(d, &s);
}

/* ---- relations ---- */

/* Takes "name:arch (>= version) [archs] <profiles>"; what is in brackets is only checked to be closed. */
static bool parse_relation(struct str text, struct relation *out)
{
	struct str name;
	size_t n = 0;

	text = str_trim(text);
	while (n < text.n && text.p[n] != ' ' && text.p[n] != '\t' && text.p[n] != '\n' && text.p[n] != '(')
		n++;
	name = (struct str){text.p, n};
	out->name = str_cut(name, ':', &out->architecture);
	text = str_trim((struct str){text.p + n, text.n - n});
	return is_name(out->name) && (!out->architecture.p || is_name(out->architecture)) &&
	       (text.n == 0 || text.p[text.n - 1] == ')' || text.p[text.n - 1] == ']' || text.p[text.n - 1] == '>');
}

static void index_names(struct dpkg *d)
{
	/* From the last to the first, so that chains have the order of the file. */
	for (size_t i = d->count; i-- > 0;)
		d->packages[i]->same_hash = map_put(&d->by_name, str_hash(d->packages[i]->name), d->packages[i]);
}

static void index_provided(struct dpkg *d, struct package *p)
{
	struct str rest = p->stanza.fields[PROVIDES];
	struct relation r;

	while (rest.n && !d->full) {
		struct str item = str_cut(rest, ',', &rest);
		struct provider *v;

		if (!parse_relation(item, &r))
			continue;
		v = ARENA_NEW(d->arena, struct provider);
		d->full |= !v;
		if (!v)
			return;
		v->name = r.name;
		v->package = p;
		v->same_hash = map_put(&d->by_provided, str_hash(r.name), v);
	}
}

static bool is_all(struct str architecture)
{
	return str_eqz(architecture, "all");
}

/* How well p answers r for a package of `architecture`; 0: not at all. */
static int fitness(const struct package *p, const struct relation *r, struct str architecture)
{
	bool any = !r->architecture.p || str_eqz(r->architecture, "any");

	if (!any)
		return str_eq(p->architecture, r->architecture) || is_all(p->architecture);
	return str_eq(p->architecture, architecture) || is_all(p->architecture) || is_all(architecture) ? 2 : 1;
}

static void prefer(struct package **best, int *score, struct package *p, int fits)
{
	if (fits > *score) {
		*best = p;
		*score = fits;
	}
}

/* A package satisfies its own dependencies before others do. */
static struct package *satisfied_by(const struct dpkg *d, const struct relation *r, const struct package *wanting)
{
	struct package *best = NULL;
	int score = 0;

	for (struct package *p = map_get(&d->by_name, str_hash(r->name)); p; p = p->same_hash)
		if (str_eq(p->name, r->name))
			prefer(&best, &score, p, fitness(p, r, wanting->architecture) + (p == wanting));
	if (best)
		return best;
	for (struct provider *v = map_get(&d->by_provided, str_hash(r->name)); v; v = v->same_hash)
		if (str_eq(v->name, r->name))
			prefer(&best, &score, v->package,
			       fitness(v->package, r, wanting->architecture) + 2 * (v->package == wanting));
	return best;
}

/* ---- items ---- */

static struct package *first_satisfied(const struct dpkg *d, struct str alternatives, const struct package *wanting)
{
	struct package *p = NULL;
	struct relation r;

	while (alternatives.n && !p)
		if (parse_relation(str_cut(alternatives, '|', &alternatives), &r))
			p = satisfied_by(d, &r, wanting);
	return p;
}

static void add_edge(struct work_new *w, struct package *to, size_t number)
{
	if (to->wanted_by == number)
		return;
	to->wanted_by = number;
	PUT(&w->depends_on[w->depends_on_count], work_dependency, key, to->key);
	PUT(&w->depends_on[w->depends_on_count], work_dependency, on_failure, ON_FAILURE_IGNORE);
	w->depends_on_count++;
}

static size_t count_groups(struct str list)
{
	size_t n = 0;

	while (list.n) {
		str_cut(list, ',', &list);
		n++;
	}
	return n;
}

static void add_edges(struct dpkg *d, struct work_new *w, struct package *p, struct str list, size_t number)
{
	size_t most = type_work_new.fields[work_new__depends_on].max_count;

	while (list.n && !d->full) {
		struct str group = str_trim(str_cut(list, ',', &list));
		struct package *to = group.n ? first_satisfied(d, group, p) : p;

		if (!to)
			remark(d, p->stanza.line, false,
			       arena_fmt(d->arena, "%.*s: nothing that is installed satisfies %.*s", STRF(p->name),
					 STRF(shortened(group))));
		else if (to != p && w->depends_on_count < most)
			add_edge(w, to, number);
		else if (to != p)
			remark(d, p->stanza.line, false,
			       arena_fmt(d->arena, "%.*s: waits for no more than %zu others", STRF(p->name), most));
	}
}

static struct str synopsis(const struct package *p)
{
	return str_clip(control_synopsis(p->stanza.fields[DESCRIPTION]), SYNOPSIS_MAX);
}

static struct str long_description(struct dpkg *d, const struct package *p)
{
	struct str text = control_details(p->stanza.fields[DESCRIPTION], d->arena);

	d->full |= !text.p;
	return str_clip(text, DESCRIPTION_MAX);
}

static void member(struct buf *b, const char *name, struct str text)
{
	buf_fmt(b, "%s\"%s\":", b->n > 1 ? "," : "", name);
	buf_json_text(b, text);
}

static struct str payload(struct dpkg *d, const struct package *p)
{
	struct buf b = BUF_INIT(0);
	struct str json;
	int64_t kib;

	buf_c(&b, '{');
	member(&b, "package", p->name);
	member(&b, "version", str_clip(str_trim(p->stanza.fields[VERSION]), WORD_MAX));
	member(&b, "architecture", p->architecture);
	if (str_to_i64(str_trim(p->stanza.fields[INSTALLED_SIZE]), &kib) && kib >= 0 && kib <= INT64_MAX / 1024)
		buf_fmt(&b, ",\"size\":%" PRIi64, kib * 1024);
	member(&b, "section", str_clip(str_trim(p->stanza.fields[SECTION]), WORD_MAX));
	member(&b, "description", synopsis(p));
	buf_c(&b, '}');
	json = arena_str(d->arena, buf_str(&b));
	d->full |= !json.p || !buf_ok(&b);
	buf_free(&b);
	return json;
}

static void describe(struct dpkg *d, struct work_new *w, const struct package *p)
{
	struct str title =
		arena_fmt(d->arena, "%.*s %.*s: %.*s", STRF(p->key),
			  STRF(str_clip(str_trim(p->stanza.fields[VERSION]), WORD_MAX)), STRF(synopsis(p)));

	d->full |= !title.p;
	PUT(w, work_new, type, d->options->type.n ? d->options->type : STR("verify"));
	if (d->options->team.n)
		PUT(w, work_new, team, d->options->team);
	PUT(w, work_new, title, str_clip(title, TITLE_MAX));
	PUT(w, work_new, description, long_description(d, p));
	PUT(w, work_new, payload, payload(d, p));
	PUT(w, work_new, key, p->key);
}

static void make_item(struct dpkg *d, struct package *p, size_t number)
{
	struct import_item *item = import_add_item(d->out, d->arena, p->stanza.line);
	const struct str *fields = p->stanza.fields;
	size_t groups = count_groups(fields[PRE_DEPENDS]) + count_groups(fields[DEPENDS]);

	d->full |= !item;
	if (!item)
		return;
	describe(d, &item->work, p);
	item->work.depends_on = ARENA_ARRAY(d->arena, struct work_dependency, groups);
	d->full |= !item->work.depends_on;
	add_edges(d, &item->work, p, fields[PRE_DEPENDS], number);
	add_edges(d, &item->work, p, fields[DEPENDS], number);
	if (item->work.depends_on_count)
		PUT(&item->work, work_new, depends_on, item->work.depends_on);
	json_finish(&type_work_new, 0, &item->work, NULL); /* the fallbacks */
}

static void make_items(struct dpkg *d)
{
	index_names(d);
	for (size_t i = d->count; i-- > 0;)
		index_provided(d, d->packages[i]);
	for (size_t i = 0; i < d->count && !d->full; i++)
		make_item(d, d->packages[i], i + 1);
}

enum err import_dpkg(struct str text, const struct import_options *o, struct arena *a, struct import_result *out)
{
	struct dpkg d = {.options = o, .arena = a, .out = out};

	*out = (struct import_result){0};
	read_packages(&d, text);
	make_items(&d);
	map_free(&d.by_name);
	map_free(&d.by_provided);
	return d.full ? ERR_TOO_LARGE : import_order(out, a);
}
