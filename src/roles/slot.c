/*
 * One file: read when its stamp says so, parsed, decoded, and kept until there is something better.
 *
 *   UNREAD ──► MISSING ◄──► READ ──► KEPT (the last good content, and why the file cannot be used)
 *                │                    │
 *                └──► LOST ◄──────────┘ only by way of MISSING: a file that is taken away is believed
 *
 * A file that makes no sense may be caught while it is written: if its stamp moves meanwhile it is read again, at
 * once and a few times; and at the next look anyway, because its stamp is recent or has moved.
 */
#include "roles/town_priv.h"

#include <stdio.h>
#include <string.h>

enum { TRIES = 3 };

/* A hostile file of DOC_MAX_BYTES has nodes for forty times its bytes, and agents for eighty. */
static const size_t CONTENT_BYTES_MAX = (size_t)1 << 29;

void slot_init(struct slot *s, enum file_kind kind, struct str folder, const char *name, size_t shown_from)
{
	struct str n = str_of(name);

	*s = (struct slot){.kind = kind, .path = must_alloc(folder.n + n.n + 1)};
	if (folder.n)
		memcpy(s->path, folder.p, folder.n);
	memcpy(s->path + folder.n, n.p, n.n);
	s->shown = s->path + shown_from;
}

static void content_free(struct content **c)
{
	if (!*c)
		return;
	arena_destroy(&(*c)->arena);
	free((*c)->faults);
	free(*c);
	*c = NULL;
}

void slot_free(struct slot *s)
{
	content_free(&s->content);
	free(s->trouble_text);
	free(s->path);
	*s = (struct slot){0};
}

struct source slot_source(const struct slot *s)
{
	struct source out = {.path = s->shown, .state = s->state, .refused = s->content->refused};

	if (s->state == FILE_KEPT || s->state == FILE_LOST)
		out.fault = &s->trouble;
	for (size_t i = 0; !out.fault && out.refused && i < s->content->fault_count; i++)
		if (s->content->faults[i].severity == SEVERITY_ERROR)
			out.fault = &s->content->faults[i];
	return out;
}

/* What is read knows where it comes from, and that changes without being read again. */
static void note_source(struct slot *s, const struct agents *under)
{
	switch (s->kind) {
	case FILE_TOWN_SETTINGS:
	case FILE_RIG_SETTINGS:
		s->content->settings.source = slot_source(s);
		break;
	case FILE_REGISTRY:
		s->content->agents.source = slot_source(s);
		s->content->agents.under = under;
		break;
	case FILE_ACCOUNTS:
		s->content->accounts.source = slot_source(s);
		break;
	case FILE_QUOTA:
	case FILE_RIG_NAMES:
		break;
	}
}

static void set_content(struct slot *s, struct content *c)
{
	content_free(&s->content);
	s->content = c;
	s->version++;
}

/* ---- from text to content ---- */

static void decode(struct reading *r, const struct slot *s, const struct look *l, struct content *c)
{
	switch (s->kind) {
	case FILE_TOWN_SETTINGS:
	case FILE_RIG_SETTINGS:
		settings_read(r, &c->settings);
		break;
	case FILE_REGISTRY:
		registry_read(r, l->under, &c->agents);
		break;
	case FILE_ACCOUNTS:
		accounts_read(r, &c->accounts);
		break;
	case FILE_QUOTA:
		quota_read(r, &c->quota);
		break;
	case FILE_RIG_NAMES:
		rig_names_read(r, &c->names);
		break;
	}
}

static void keep_faults(struct reading *r, struct content *c)
{
	if (r->more_faults)
		*VEC_PUSH(&r->faults) =
			(struct fault){.severity = SEVERITY_ERROR,
				       .at = {.path = r->shown},
				       .text = arena_fmt(r->arena, "and %zu more mistakes", r->more_faults)};
	c->faults = r->faults.v; /* the content owns it now */
	c->fault_count = r->faults.n;
}

static enum err make_content(const struct slot *s, const struct look *l, struct str text, struct content **out,
			     struct problem *p)
{
	struct doc doc;
	struct reading r = {.doc = &doc, .shown = s->shown, .is_rig = s->kind == FILE_RIG_SETTINGS};
	enum err e = doc_parse(str_of(s->shown), text, l->scratch, &doc, p);
	struct content *c;

	if (e != OK)
		return e;
	c = NEW(struct content);
	c->arena = r.arena = arena_new(CONTENT_BYTES_MAX);
	decode(&r, s, l, c);
	keep_faults(&r, c);
	c->refused = r.refused;
	if (arena_overflowed(c->arena)) {
		content_free(&c);
		return problem_set(p, ERR_TOO_LARGE, "%s: says more than fits into memory", s->shown);
	}
	*out = c;
	return OK;
}

/* ---- what became of it ---- */

static struct str without(struct str text, struct str prefix)
{
	return str_starts(text, prefix) ? (struct str){text.p + prefix.n, text.n - prefix.n} : text;
}

/* The place is told apart from the text: "PATH:12:3: a comma" becomes "a comma". */
static struct str without_place(const struct slot *s, const struct problem *p)
{
	char place[64];
	struct str text = without(without(str_of(p->detail), str_of(s->path)), str_of(s->shown));

	snprintf(place, sizeof(place), ":%d:%d", p->line, p->column);
	return without(without(text, str_of(place)), STR(": "));
}

static void note_trouble(struct slot *s, const struct problem *p)
{
	struct str text = without_place(s, p);

	s->trouble_text = must_realloc(s->trouble_text, text.n + 1);
	memcpy(s->trouble_text, text.p, text.n);
	s->trouble = (struct fault){.severity = SEVERITY_ERROR,
				    .at = {s->shown, p->line, p->column},
				    .text = {s->trouble_text, text.n}};
}

/* The file is there and cannot be used. */
static void trouble(struct slot *s, const struct problem *p)
{
	bool had = s->state == FILE_READ || s->state == FILE_KEPT;

	note_trouble(s, p);
	s->state = had ? FILE_KEPT : FILE_LOST;
	if (!s->content)
		set_content(s, NEW(struct content));
}

static void missing(struct slot *s)
{
	if (s->state != FILE_MISSING)
		set_content(s, NEW(struct content));
	s->state = FILE_MISSING;
	s->stamp = (struct stamp){0};
}

static bool moved_meanwhile(const struct slot *s, const struct look *l)
{
	struct stamp now;

	return l->files->stat(l->files, s->path, &now, NULL) != OK || !stamp_eq(&s->stamp, &now);
}

static enum err read_once(struct slot *s, const struct look *l, struct content **out, struct problem *p)
{
	struct str text;
	enum err e;

	arena_reset(l->scratch);
	e = l->files->read(l->files, s->path, DOC_MAX_BYTES, l->scratch, &text, &s->stamp, p);
	if (e != OK)
		s->stamp = (struct stamp){.recent = true}; /* whatever stands there next is new */
	return e == OK ? make_content(s, l, text, out, p) : e;
}

static void load(struct slot *s, const struct look *l)
{
	struct problem p = {0};
	struct content *c = NULL;
	enum err e = OK;

	for (int i = 0; i < TRIES; i++) {
		e = read_once(s, l, &c, &p);
		if (e != ERR_MALFORMED || !moved_meanwhile(s, l))
			break;
	}
	if (e == OK) {
		set_content(s, c);
		s->state = FILE_READ;
	} else if (e == ERR_NOT_FOUND) {
		missing(s);
	} else {
		trouble(s, &p);
	}
	arena_reset(l->scratch);
}

const struct content *slot_look(struct slot *s, const struct look *l)
{
	struct stamp now;
	struct problem p = {0};
	enum err e;

	if (s->seen == l->generation && !l->again)
		return s->content;
	s->seen = l->generation;
	e = l->files->stat(l->files, s->path, &now, &p);
	if (e == OK && s->state != FILE_UNREAD && s->state != FILE_MISSING && !l->again &&
	    stamp_holds(&s->stamp, &now))
		return s->content;
	if (e == ERR_NOT_FOUND && s->state == FILE_MISSING)
		return s->content;
	++*l->changes;
	if (e == OK)
		load(s, l);
	else if (e == ERR_NOT_FOUND)
		missing(s);
	else
		trouble(s, &p);
	note_source(s, l->under);
	return s->content;
}
