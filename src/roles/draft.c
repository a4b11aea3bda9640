/*
 * A file while it is changed, and the line that is said about each change.
 */
#include "roles/edit_priv.h"

#include "base/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { SHOWN_BYTES = 60 };

/* ---- reading ---- */

static enum err read_draft(struct desk *k, struct draft *d)
{
	struct files *f = town_files(k->town);
	struct str text = {0};
	enum err e = f->read(f, d->path, DOC_MAX_BYTES, k->arena, &text, &d->stamp, k->p);

	d->existed = e == OK;
	d->was = (struct doc){.path = str_of(d->shown)};
	if (e == ERR_NOT_FOUND) {
		d->stamp = (struct stamp){0};
		problem_clear(k->p);
		return OK;
	}
	return e == OK ? doc_parse(str_of(d->shown), text, k->arena, &d->was, k->p) : e;
}

/* A new file begins as Gas Town writes it. */
static enum err begin(struct desk *k, struct draft *d)
{
	const struct edit_key type = {STR("type"), false}, version = {STR("version"), false};
	enum err e = draft_set(k, d, &type, 1, d->is_rig ? STR("\"rig-settings\"") : STR("\"town-settings\""));

	return e == OK ? draft_set(k, d, &version, 1, STR("1")) : e;
}

enum err draft_open(struct desk *k, struct str rig, struct draft *d)
{
	struct str dir = town_dir(k->town), path;
	enum err e;

	if (rig.n && !town_rig(k->town, rig))
		return problem_set(k->p, ERR_NOT_FOUND, "%.*s", STRF(town_no_rig_text(k->town, rig, k->arena)));
	path = arena_fmt(k->arena, "%.*s/%.*s%ssettings/config.json", STRF(dir), STRF(rig), rig.n ? "/" : "");
	*d = (struct draft){.path = path.p, .shown = path.p + dir.n + 1, .is_rig = rig.n != 0};
	e = read_draft(k, d);
	d->is = d->was;
	if (e == OK && !d->was.root)
		e = begin(k, d);
	return e;
}

/* ---- changing ---- */

static enum err take_text(struct desk *k, struct draft *d, struct str text)
{
	if (text.n == d->is.text.n && (text.n == 0 || memcmp(text.p, d->is.text.p, text.n) == 0))
		return OK;
	return doc_parse(str_of(d->shown), text, k->arena, &d->is, k->p);
}

enum err draft_set(struct desk *k, struct draft *d, const struct edit_key *path, size_t depth, struct str value)
{
	struct str text;
	enum err e = edit_set(&d->is, path, depth, value, k->arena, &text, k->p);

	return e == OK ? take_text(k, d, text) : e;
}

enum err draft_unset(struct desk *k, struct draft *d, const struct edit_key *path, size_t depth)
{
	struct str text;
	enum err e = edit_unset(&d->is, path, depth, k->arena, &text, k->p);

	return e == OK ? take_text(k, d, text) : e;
}

bool draft_changed(const struct draft *d)
{
	return !str_eq(d->was.text, d->is.text);
}

enum err draft_write(struct desk *k, const struct draft *d)
{
	struct files *f = town_files(k->town);

	if (k->o->dry_run || !draft_changed(d))
		return OK;
	return f->write(f, d->path, d->is.text, &d->stamp, k->p);
}

/* ---- reporting ---- */

const struct node *doc_at(const struct doc *d, const struct edit_key *path, size_t depth)
{
	const struct node *n = d->root;

	for (size_t i = 0; n && i < depth; i++)
		n = path[i].entry ? node_entry(n, path[i].name) : node_member(n, path[i].name);
	return n;
}

struct str json_of(struct desk *k, struct str text)
{
	struct buf b = BUF_INIT(0);
	struct str out;

	buf_json_text(&b, text);
	out = arena_str(k->arena, buf_str(&b));
	buf_free(&b);
	return out;
}

void desk_line(struct desk *k, const char *fmt, ...)
{
	char text[1024];
	va_list args;
	int n;

	va_start(args, fmt);
	n = vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	CHECK(n >= 0);
	*VEC_PUSH(&k->lines) =
		arena_str(k->arena, (struct str){text, (size_t)n < sizeof(text) ? (size_t)n : sizeof(text) - 1});
}

static bool is_plain(const struct node *n)
{
	return n->kind != NODE_OBJECT && n->kind != NODE_ARRAY;
}

/* Texts as they are, the rest as written when it is short. */
static struct str value_text(const struct doc *d, const struct node *n)
{
	if (!n)
		return STR("nothing");
	if (n->kind == NODE_STRING)
		return n->text;
	if (is_plain(n) || n->to - n->from <= SHOWN_BYTES)
		return (struct str){d->text.p + n->from, n->to - n->from};
	return n->kind == NODE_OBJECT ? STR("{…}") : STR("[…]");
}

static struct str path_text(struct desk *k, const struct edit_key *path, size_t depth)
{
	struct buf b = BUF_INIT(0);
	struct str out;

	for (size_t i = 0; i < depth; i++) {
		buf_z(&b, i ? "." : "");
		buf_str_add(&b, path[i].name);
	}
	out = arena_str(k->arena, buf_str(&b));
	buf_free(&b);
	return out;
}

void draft_report(struct desk *k, const struct draft *d, const struct edit_key *path, size_t depth)
{
	const struct node *was = doc_at(&d->was, path, depth), *is = doc_at(&d->is, path, depth);
	struct str before = value_text(&d->was, was), after = value_text(&d->is, is);
	int line = is ? doc_key_place(&d->is, is).line : was ? doc_key_place(&d->was, was).line : 0;

	if ((!was && !is) || (was && is && str_eq(before, after)))
		return;
	desk_line(k, "%s:%d: %.*s: %.*s → %.*s", d->shown, line, STRF(path_text(k, path, depth)), STRF(before),
		  STRF(after));
}

void desk_report(struct desk *k, const struct draft *d, struct edit_report *out)
{
	out->path = d->shown;
	out->lines = ARENA_ARRAY(k->arena, struct str, k->lines.n);
	out->count = out->lines ? k->lines.n : 0;
	if (out->count)
		memcpy(out->lines, k->lines.v, k->lines.n * sizeof(*k->lines.v));
	VEC_FREE(&k->lines);
}
