/*
 * role_consolidate(): what the rigs' files say about agents moves into `rigs` of the town's file, so that a town of
 * a thousand rigs has one place to look at. What else the rigs' files say stays where it is.
 *
 * A rig moves only as a whole, and only if every role of it is answered as before. The town's file is written first
 * and the rigs' after it: a member that stands in both places counts in the rig's, so being cut off in between
 * changes no answer. Gas Town does not look at `rigs`; what it would start instead is said.
 */
#include "roles/edit_priv.h"

#include "base/buf.h"

#include <string.h>

enum { TOLD_OF_GAS_TOWN = 5 };

/* The members that move. */
static const char *const members[] = {"agent",         "runtime",       "agents",         "role_agents",
				      "role_effort",   "worker_agents", "polecat_agents", "type_agents",
				      "role_accounts", "agent_pools",   "budgets"};
enum { MEMBERS = sizeof(members) / sizeof(members[0]) };

struct mover {
	struct str name;
	struct draft draft; /* without what moved */
	bool moves;
};

struct moving {
	struct desk *k;
	struct mover *rigs;
	size_t count;
	struct draft town;
	struct arena *answers; /* emptied after each comparison */
	size_t told_of_gas_town, more_of_gas_town;
};

/* ---- one rig's part ---- */

/* On one line: what was laid out in another file has no layout here. */
static void put_node(struct buf *b, const struct doc *d, const struct node *n)
{
	bool is_object = n->kind == NODE_OBJECT;

	if (!is_object && n->kind != NODE_ARRAY) {
		buf_add(b, d->text.p + n->from, n->to - n->from);
		return;
	}
	buf_c(b, is_object ? '{' : '[');
	for (const struct node *m = n->first; m; m = m->next) {
		buf_z(b, m == n->first ? "" : ", ");
		if (is_object) {
			buf_add(b, d->text.p + m->key_from, m->key_to - m->key_from);
			buf_z(b, ": ");
		}
		put_node(b, d, m);
	}
	buf_c(b, is_object ? '}' : ']');
}

static const struct node *member(const struct doc *d, size_t i)
{
	const struct node *n = node_member(d->root, str_of(members[i]));

	return n && n->kind != NODE_NULL ? n : NULL;
}

static struct str part_text(struct desk *k, const struct doc *d)
{
	struct buf b = BUF_INIT(0);
	struct str text;

	buf_c(&b, '{');
	for (size_t i = 0; i < MEMBERS; i++) {
		const struct node *n = member(d, i);

		if (!n)
			continue;
		buf_fmt(&b, "%s\"%s\": ", b.n > 1 ? ", " : "", members[i]);
		put_node(&b, d, n);
	}
	buf_c(&b, '}');
	text = b.n > 2 ? arena_str(k->arena, buf_str(&b)) : (struct str){0};
	buf_free(&b);
	return text;
}

/* A rig's file without what moves. */
static enum err take_out(struct desk *k, struct mover *r)
{
	enum err e = draft_open(k, r->name, &r->draft);

	r->moves = e == OK && r->draft.existed && part_text(k, &r->draft.was).n;
	if (!r->moves)
		r->draft.is = r->draft.was;
	for (size_t i = 0; e == OK && r->moves && i < MEMBERS; i++)
		if (member(&r->draft.is, i))
			e = draft_unset(k, &r->draft, &(struct edit_key){str_of(members[i]), false}, 1);
	return e;
}

/* ---- the town's part ---- */

static bool has_rigs(const struct moving *m)
{
	const struct node *n = node_member(m->town.is.root, STR("rigs"));

	return n && n->kind == NODE_OBJECT && n->first;
}

/* With none there yet the whole member is written at once: a thousand single edits would read the file as often. */
static enum err put_all(struct moving *m)
{
	struct buf b = BUF_INIT(0);
	bool first = true;
	enum err e;

	buf_c(&b, '{');
	for (size_t i = 0; i < m->count; i++) {
		if (!m->rigs[i].moves)
			continue;
		buf_z(&b, first ? "\n  " : ",\n  ");
		buf_json_text(&b, m->rigs[i].name);
		buf_z(&b, ": ");
		buf_str_add(&b, part_text(m->k, &m->rigs[i].draft.was));
		first = false;
	}
	buf_z(&b, "\n}");
	e = first ? OK : draft_set(m->k, &m->town, &(struct edit_key){STR("rigs"), false}, 1, buf_str(&b));
	buf_free(&b);
	return e;
}

static enum err put_one(struct moving *m, const struct mover *r)
{
	enum err e = OK;

	for (size_t i = 0; e == OK && i < MEMBERS; i++) {
		const struct node *n = member(&r->draft.was, i);
		const struct edit_key path[] = {{STR("rigs"), false}, {r->name, true}, {str_of(members[i]), false}};
		struct buf b = BUF_INIT(0);

		if (n) {
			put_node(&b, &r->draft.was, n);
			e = draft_set(m->k, &m->town, path, 3, buf_str(&b));
		}
		buf_free(&b);
	}
	return e;
}

static enum err put_in(struct moving *m)
{
	enum err e = OK;

	m->town.is = m->town.was;
	if (!has_rigs(m))
		return put_all(m);
	for (size_t i = 0; e == OK && i < m->count; i++)
		if (m->rigs[i].moves)
			e = put_one(m, &m->rigs[i]);
	return e;
}

/* ---- the same answers ---- */

static bool same_text_lists(const struct texts *a, const struct texts *b)
{
	bool same = a->n == b->n;

	for (size_t i = 0; same && i < a->n; i++)
		same = str_eq(a->v[i], b->v[i]);
	return same;
}

static bool same_answer(const struct role_answer *a, const struct role_answer *b)
{
	return str_eq(a->agent, b->agent) && str_eq(a->runs, b->runs) && str_eq(a->model, b->model) &&
	       str_eq(a->account, b->account) && a->effort == b->effort && a->would_run == b->would_run &&
	       a->as_written == b->as_written && str_eq(a->runtime.command, b->runtime.command) &&
	       same_text_lists(&a->runtime.args, &b->runtime.args) &&
	       same_text_lists(&a->runtime.exec_wrapper, &b->runtime.exec_wrapper);
}

static bool is_answered_alike(struct moving *m, struct town *after, const struct role_query *q,
			      struct role_answer *was, struct role_answer *is)
{
	enum err before, now;

	arena_reset(m->answers);
	before = role_resolve(m->k->town, q, NULL, m->answers, was, NULL);
	now = role_resolve(after, q, NULL, m->answers, is, NULL);
	return before == now && (before != OK || same_answer(was, is));
}

static void tell_of_gas_town(struct moving *m, struct town *after, struct str rig, const char *role)
{
	const struct role_query q = {.role = str_of(role), .rig = rig, .compat = true};
	struct role_answer was, is;

	if (is_answered_alike(m, after, &q, &was, &is))
		return;
	if (m->told_of_gas_town++ >= TOLD_OF_GAS_TOWN) {
		m->more_of_gas_town++;
		return;
	}
	desk_line(m->k,
		  "Gas Town, which does not look at rigs here, would start %s of %.*s as %.*s in place of %.*s",
		  role, STRF(rig), STRF(is.agent), STRF(was.agent));
}

/* Every role of the rig, and every worker that its file names. False: it stays. */
static bool stays_the_same(struct moving *m, struct town *after, const struct mover *r)
{
	const struct settings *s = town_rig(m->k->town, r->name)->own;
	struct role_answer was, is;
	struct role_query q = {.rig = r->name};
	bool same = true;

	for (unsigned role = 0; same && role < ROLE_COUNT; role++) {
		q.role = str_of(role_texts[role]);
		if (role_works_in_rig((enum role)role))
			same = is_answered_alike(m, after, &q, &was, &is);
	}
	q.role = STR("crew");
	for (size_t i = 0; same && i < s->worker_agents.n; i++) {
		q.name = s->worker_agents.v[i].key;
		same = is_answered_alike(m, after, &q, &was, &is);
	}
	return same;
}

static struct draft *drafts_of(const struct moving *m, size_t *count)
{
	struct draft *v = ARENA_ARRAY(m->k->arena, struct draft, m->count + 1);

	if (!v)
		return NULL;
	*count = 0;
	v[(*count)++] = m->town;
	for (size_t i = 0; i < m->count; i++)
		if (m->rigs[i].moves)
			v[(*count)++] = m->rigs[i].draft;
	return v;
}

/* Marks who stays; *again: somebody does who was to move. With `final` it also says what Gas Town would make of it.
 */
static enum err try_out(struct moving *m, bool final, bool *again)
{
	struct overlay v;
	struct town *after;
	size_t count;
	struct draft *drafts = drafts_of(m, &count);
	enum err e = drafts ? overlay_town(m->k, &v, drafts, count, &after) : ERR_TOO_LARGE;

	*again = false;
	for (size_t i = 0; e == OK && i < m->count; i++) {
		struct mover *r = &m->rigs[i];

		if (!r->moves)
			continue;
		for (unsigned role = 0; final && role < ROLE_COUNT; role++)
			if (role_works_in_rig((enum role)role))
				tell_of_gas_town(m, after, r->name, role_texts[role]);
		if (final || m->k->o->force || stays_the_same(m, after, r))
			continue;
		desk_line(m->k, "%s stays as it is: in the town's file it would be answered differently",
			  r->draft.shown);
		r->moves = false;
		*again = true;
	}
	if (e == OK)
		town_close(&after);
	return e;
}

/* ---- all of it ---- */

static enum err open_rigs(struct moving *m)
{
	struct str *names = (struct str[]){m->k->o->rig};
	enum err e = OK;

	m->count = 1;
	if (!m->k->o->rig.n)
		e = town_rigs(m->k->town, m->k->arena, &names, &m->count, m->k->p);
	m->rigs = e == OK ? ARENA_ARRAY(m->k->arena, struct mover, m->count) : NULL;
	for (size_t i = 0; e == OK && m->rigs && i < m->count; i++) {
		m->rigs[i].name = names[i];
		e = take_out(m->k, &m->rigs[i]);
	}
	return e;
}

static void tell_what_stays(struct moving *m)
{
	for (size_t i = 0; i < m->count; i++) {
		const struct rig *rig = town_rig(m->k->town, m->rigs[i].name);

		if (rig && rig->registry->source.state == FILE_READ)
			desk_line(m->k, "%s stays: presets of a rig have no place in the town's settings",
				  rig->registry->source.path);
	}
	if (m->more_of_gas_town)
		desk_line(m->k, "and %zu more spawns of Gas Town", m->more_of_gas_town);
}

static void tell_what_moves(struct moving *m)
{
	for (size_t i = 0; i < m->count; i++) {
		const struct mover *r = &m->rigs[i];
		const struct edit_key path[] = {{STR("rigs"), false}, {r->name, true}};
		const struct node *part = r->moves ? doc_at(&m->town.is, path, 2) : NULL;

		for (size_t k = 0; part && k < MEMBERS; k++)
			if (member(&r->draft.was, k))
				desk_line(m->k, "%s:%d: %s → %s:%d: rigs.%.*s.%s", r->draft.shown,
					  doc_key_place(&r->draft.was, member(&r->draft.was, k)).line, members[k],
					  m->town.shown, doc_key_place(&m->town.is, part).line, STRF(r->name),
					  members[k]);
	}
}

static enum err write_all(struct moving *m)
{
	enum err e = draft_write(m->k, &m->town);

	for (size_t i = 0; e == OK && i < m->count; i++)
		if (m->rigs[i].moves)
			e = draft_write(m->k, &m->rigs[i].draft);
	return e;
}

static enum err consolidate(struct moving *m)
{
	enum err e = draft_open(m->k, (struct str){0}, &m->town);
	bool again = true, final;

	if (e == OK)
		e = open_rigs(m);
	while (e == OK && again) {
		e = put_in(m);
		if (e == OK)
			e = try_out(m, false, &again);
	}
	if (e == OK)
		e = try_out(m, true, &final);
	if (e == OK)
		e = write_all(m);
	if (e != OK)
		return e;
	tell_what_moves(m);
	tell_what_stays(m);
	return OK;
}

enum err role_consolidate(struct town *t, const struct edit_options *o, struct arena *a, struct edit_report *out,
			  struct problem *p)
{
	struct desk k = {.town = t, .o = o, .arena = a, .p = p};
	struct moving m = {.k = &k, .answers = arena_new((size_t)16 << 20)};
	enum err e = consolidate(&m);

	arena_destroy(&m.answers);
	desk_report(&k, &m.town, out);
	return e;
}
