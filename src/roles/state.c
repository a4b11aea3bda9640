/*
 * The state of a town: opened, looked at, changed.
 *
 * A change is a function on the tables. It is applied to what stands in the file at that moment, under the lock,
 * and counts only when the file is written. Without a data directory the text that would be the file is kept in
 * memory.
 */
#include "roles/state_priv.h"

#include "base/clock.h"
#include "base/magic.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	STATE_MAGIC = 0x57a7e001,
	STATE_BYTES_MAX = DOC_MAX_BYTES,
	ARENA_BYTES = 256 << 20,
	REASON_BYTES = 200,
	DAY_MS = 24 * 60 * 60 * 1000,
};

struct town_state {
	unsigned magic;
	struct files *files;
	struct arena *own;            /* names, for as long as the state is open */
	struct arena *arena, *before; /* what the tables point into, and those before them */
	struct str town_dir;
	const char *folder, *path, *lock, *broken; /* path NULL: in memory */
	struct buf text;                           /* in memory: what the file would hold */
	struct stamp stamp;
	struct state_tables tables;
	uint64_t unkept; /* turns that could not be written */
	char warning[400];
};

/* ---- reading ---- */

/* Texts of the tables before stay for one change more: a caller may name what it has read there. */
static void take_over(struct town_state *s, struct arena *a, struct state_tables *t)
{
	state_tables_free(&s->tables);
	arena_destroy(&s->before);
	s->before = s->arena;
	s->arena = a;
	s->tables = *t;
}

static enum err read_text(struct town_state *s, struct arena *a, struct str *out, struct stamp *stamp,
			  struct problem *p)
{
	enum err err;

	*out = arena_str(a, buf_str(&s->text));
	*stamp = (struct stamp){0};
	if (!s->path)
		return OK;
	*out = (struct str){0};
	err = s->files->read(s->files, s->path, STATE_BYTES_MAX, a, out, stamp, p);
	return err == ERR_NOT_FOUND ? OK : err;
}

/* The file as it is now, into the tables. */
static enum err load(struct town_state *s, struct problem *p)
{
	struct arena *a = arena_new(ARENA_BYTES);
	struct state_tables t = {0};
	struct stamp stamp;
	struct str text;
	enum err err = read_text(s, a, &text, &stamp, p);

	err = err ? err : state_decode(text, a, &t, p);
	if (err) {
		arena_destroy(&a);
		return err;
	}
	s->stamp = stamp;
	take_over(s, a, &t);
	return OK;
}

/* ---- writing ---- */

static enum err store(struct town_state *s, const struct state_tables *t, struct problem *p)
{
	struct buf b = BUF_INIT(STATE_BYTES_MAX);
	enum err err = OK;

	state_encode(t, s->town_dir, &b);
	if (!buf_ok(&b))
		err = problem_set(p, ERR_TOO_LARGE, "what is remembered of the town has more than %d bytes",
				  STATE_BYTES_MAX);
	else if (s->path)
		err = s->files->write(s->files, s->path, buf_str(&b), NULL, p);
	else
		buf_reset(&s->text), buf_str_add(&s->text, buf_str(&b));
	buf_free(&b);
	return err;
}

/* Keeps the file that cannot be read for who wants to know, and begins anew. */
static enum err set_aside(struct town_state *s, const char *why, struct problem *p)
{
	struct state_tables none = {0};
	enum err err = s->path ? state_move(s->path, s->broken, p) : OK;

	err = err ? err : store(s, &none, p);
	if (err)
		return err;
	snprintf(s->warning, sizeof(s->warning), "%s could not be read (%s); it is kept as %s, and begun anew",
		 s->path, why, s->broken);
	take_over(s, arena_new(ARENA_BYTES), &none);
	return OK;
}

/* Under the lock. */
static enum err load_or_begin(struct town_state *s, struct problem *p)
{
	struct problem why = {0};
	enum err err = load(s, &why);

	if (err != ERR_MALFORMED && err != ERR_TOO_LARGE)
		return err ? problem_set(p, err, "%s: %s", s->path ? s->path : "the state", why.detail) : OK;
	return set_aside(s, why.detail, p);
}

/* ---- changing ---- */

typedef void change_fn(struct town_state *s, const void *what);

static enum err apply(struct town_state *s, change_fn *change, const void *what, struct problem *p)
{
	enum err err = load_or_begin(s, p);

	if (err)
		return err;
	change(s, what);
	err = state_bound(&s->tables, s->files->now_ms(s->files), p);
	err = err ? err : store(s, &s->tables, p);
	if (err)
		(void)load(s, NULL); /* what was not written did not happen */
	return err;
}

static enum err under_lock(struct town_state *s, change_fn *change, const void *what, struct problem *p)
{
	enum err err;
	int fd;

	CHECK_OBJ(s, STATE_MAGIC);
	if (!s->path)
		return apply(s, change, what, p);
	err = state_lock(s->folder, s->lock, &fd, p);
	if (err)
		return err;
	err = apply(s, change, what, p);
	state_unlock(fd);
	return err;
}

/* ---- open and close ---- */

static void name_files(struct town_state *s, struct str data_dir)
{
	unsigned long long hash = str_hash(s->town_dir);
	struct str folder = arena_fmt(s->own, "%.*s/towns", STRF(data_dir));

	s->folder = folder.p;
	s->path = arena_fmt(s->own, "%s/%016llx.json", s->folder, hash).p;
	s->lock = arena_fmt(s->own, "%s/%016llx.lock", s->folder, hash).p;
	s->broken = arena_fmt(s->own, "%s/%016llx.json.broken", s->folder, hash).p;
}

static void no_change(struct town_state *s, const void *what)
{
	(void)s, (void)what;
}

static enum err first_look(struct town_state *s, struct problem *p)
{
	struct problem why = {0};
	enum err err = load(s, &why);

	if (err == ERR_MALFORMED || err == ERR_TOO_LARGE)
		return under_lock(s, no_change, NULL, p);
	return err ? problem_set(p, err, "%s: %s", s->path ? s->path : "the state", why.detail) : OK;
}

enum err town_state_open(struct files *files, struct str data_dir, struct str town_dir, struct town_state **out,
			 struct problem *p)
{
	struct town_state *s = NEW(struct town_state);
	enum err err;

	s->magic = STATE_MAGIC;
	s->files = files;
	s->own = arena_new(1 << 20);
	s->arena = arena_new(ARENA_BYTES);
	s->text = BUF_INIT(STATE_BYTES_MAX);
	s->town_dir = arena_str(s->own, town_dir);
	if (data_dir.n)
		name_files(s, data_dir);
	*out = s;
	err = arena_overflowed(s->own) ? problem_set(p, ERR_TOO_LARGE, "the name of the data directory is too long")
				       : first_look(s, p);
	if (err)
		town_state_close(out);
	return err;
}

void town_state_close(struct town_state **s)
{
	struct town_state *old = *s;

	*s = NULL;
	if (!old)
		return;
	CHECK_OBJ(old, STATE_MAGIC);
	state_tables_free(&old->tables);
	arena_destroy(&old->arena);
	arena_destroy(&old->before);
	arena_destroy(&old->own);
	buf_free(&old->text);
	free(old);
}

enum err town_state_refresh(struct town_state *s, struct problem *p)
{
	struct stamp now = {0};
	enum err err;

	CHECK_OBJ(s, STATE_MAGIC);
	if (!s->path)
		return OK;
	err = s->files->stat(s->files, s->path, &now, p);
	if (err && err != ERR_NOT_FOUND)
		return err;
	return stamp_holds(&s->stamp, &now) ? OK : first_look(s, p);
}

struct str town_state_warning(const struct town_state *s)
{
	return str_of(s->warning);
}

/* ---- names ---- */

static enum err check_name(struct str name, const char *what, struct problem *p)
{
	if (name.n > TOWN_STATE_NAME_BYTES)
		return problem_set(p, ERR_INVALID, "%s has %zu bytes; at most %d", what, name.n,
				   TOWN_STATE_NAME_BYTES);
	return OK;
}

/* ---- cooling down ---- */

static struct cooling *cooling_of(const struct town_state *s, struct str name, bool is_account)
{
	for (size_t i = 0; i < s->tables.cooling.n; i++)
		if (s->tables.cooling.v[i].is_account == is_account && str_eq(s->tables.cooling.v[i].name, name))
			return &s->tables.cooling.v[i];
	return NULL;
}

static void change_cooling(struct town_state *s, const void *what)
{
	const struct cooling *new = what;
	struct cooling *old = cooling_of(s, new->name, new->is_account);

	if (!old)
		old = VEC_PUSH(&s->tables.cooling);
	*old = *new;
	old->name = arena_str(s->arena, new->name);
	old->reason = arena_str(s->arena, new->reason);
}

static enum err cool(struct town_state *s, struct cooling *c, struct problem *p)
{
	int64_t now = s->files->now_ms(s->files), most = now + (int64_t)TOWN_STATE_DAYS * DAY_MS;
	enum err err = check_name(c->name, "the name", p);

	if (err)
		return err;
	if (c->name.n == 0 || c->until_ms < 0)
		return problem_set(p, ERR_INVALID, "what cools down has a name, and a time when that ends");
	c->set_ms = now;
	c->until_ms = c->until_ms < most ? c->until_ms : most;
	c->reason.n = c->reason.n < REASON_BYTES ? c->reason.n : REASON_BYTES;
	return under_lock(s, change_cooling, c, p);
}

enum err town_state_cool(struct town_state *s, struct str agent, int64_t until_ms, struct str reason,
			 struct problem *p)
{
	return cool(s, &(struct cooling){.name = agent, .reason = reason, .until_ms = until_ms}, p);
}

enum err town_state_cool_account(struct town_state *s, struct str handle, int64_t until_ms, struct str reason,
				 struct problem *p)
{
	return cool(s, &(struct cooling){handle, reason, true, 0, until_ms}, p);
}

static int64_t cooling_until(const struct town_state *s, struct str name, bool is_account)
{
	const struct cooling *c = cooling_of(s, name, is_account);

	return c && cooling_holds(c, s->files->now_ms(s->files)) ? c->until_ms : 0;
}

int64_t town_state_cooling_until(const struct town_state *s, struct str agent)
{
	return cooling_until(s, agent, false);
}

int64_t town_state_account_cooling_until(const struct town_state *s, struct str handle)
{
	return cooling_until(s, handle, true);
}

size_t town_state_cooling_count(const struct town_state *s)
{
	return s->tables.cooling.n;
}

const struct cooling *town_state_cooling(const struct town_state *s, size_t i)
{
	CHECK(i < s->tables.cooling.n);
	return &s->tables.cooling.v[i];
}

/* ---- turns ---- */

/* Takes the pool out of its place and puts it last, one turn further. */
static void change_turn(struct town_state *s, const void *what)
{
	struct turn *taken = (struct turn *)(uintptr_t)what, now = {arena_str(s->arena, taken->pool), 0};
	size_t n = 0;

	for (size_t i = 0; i < s->tables.turns.n; i++)
		if (str_eq(s->tables.turns.v[i].pool, taken->pool))
			now.next = s->tables.turns.v[i].next;
		else
			s->tables.turns.v[n++] = s->tables.turns.v[i];
	s->tables.turns.n = n;
	taken->next = now.next;
	now.next = now.next < INT64_MAX ? now.next + 1 : 0;
	*VEC_PUSH(&s->tables.turns) = now;
}

uint64_t town_state_turn(struct town_state *s, struct str pool)
{
	struct turn taken = {pool, 0};

	if (check_name(pool, "the pool", NULL))
		return 0;
	if (under_lock(s, change_turn, &taken, NULL))
		return town_state_next_turn(s, pool) + s->unkept++; /* at least this process goes on taking turns */
	return taken.next;
}

uint64_t town_state_next_turn(const struct town_state *s, struct str pool)
{
	for (size_t i = 0; i < s->tables.turns.n; i++)
		if (str_eq(s->tables.turns.v[i].pool, pool))
			return s->tables.turns.v[i].next;
	return 0;
}

/* ---- spending ---- */

void day_of_ms(int64_t ms, char out[DAY_TEXT])
{
	char text[CLOCK_TEXT];

	clock_format(ms, text);
	memcpy(out, text, DAY_TEXT - 1);
	out[DAY_TEXT - 1] = '\0';
}

static void change_spent(struct town_state *s, const void *what)
{
	const struct spent *one = what;
	struct spent row = *one;

	for (size_t i = 0; i < s->tables.spent.n; i++)
		if (spent_same_row(&s->tables.spent.v[i], one)) {
			spent_add(&s->tables.spent.v[i], one);
			return;
		}
	row.day = arena_str(s->arena, one->day);
	row.rig = arena_str(s->arena, one->rig);
	row.role = arena_str(s->arena, one->role);
	row.agent = arena_str(s->arena, one->agent);
	row.model = arena_str(s->arena, one->model);
	*VEC_PUSH(&s->tables.spent) = row;
}

static bool is_amount(double usd)
{
	return isfinite(usd) && usd >= 0;
}

static enum err check_spent(const struct spent *one, struct problem *p)
{
	const struct str names[] = {one->rig, one->role, one->agent, one->model};
	enum err err = OK;

	if (!state_is_day(one->day))
		return problem_set(p, ERR_INVALID, "a day is written 2026-11-21");
	if (one->runs < 0 || one->input < 0 || one->output < 0 || one->cache_read < 0 || one->cache_write < 0 ||
	    !is_amount(one->usd) || !is_amount(one->guessed_usd))
		return problem_set(p, ERR_INVALID, "what was spent cannot be negative");
	for (size_t i = 0; i < 4 && !err; i++)
		err = check_name(names[i], "a name", p);
	return err;
}

enum err town_state_spend(struct town_state *s, const struct spent *one, struct problem *p)
{
	char today[DAY_TEXT];
	struct spent row = *one;
	enum err err;

	day_of_ms(s->files->now_ms(s->files), today);
	row.day = one->day.n ? one->day : str_of(today);
	row.runs = one->runs ? one->runs : 1;
	err = check_spent(&row, p);
	return err ? err : under_lock(s, change_spent, &row, p);
}

double town_state_spent_usd(const struct town_state *s, struct str day, struct str rig, struct str role)
{
	double usd = 0;

	for (size_t i = 0; i < s->tables.spent.n; i++) {
		const struct spent *row = &s->tables.spent.v[i];

		if (str_eq(row->day, day) && (rig.n == 0 || str_eq(row->rig, rig)) &&
		    (role.n == 0 || str_eq(row->role, role)))
			usd += row->usd;
	}
	return usd;
}

size_t town_state_spent_count(const struct town_state *s)
{
	return s->tables.spent.n;
}

const struct spent *town_state_spent(const struct town_state *s, size_t i)
{
	CHECK(i < s->tables.spent.n);
	return &s->tables.spent.v[i];
}
