/*
 * The state as JSON, and within its bounds.
 *
 *	{"version": 1, "town": "/gt", "cooling": [{"agent": …}], "turns": {"pool": 3}, "spent": [{"day": …}]}
 */
#include "roles/state_priv.h"

#include "roles/doc.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { VERSION = 1, BACK_MS = 60 * 1000 };

void state_tables_free(struct state_tables *t)
{
	VEC_FREE(&t->cooling);
	VEC_FREE(&t->turns);
	VEC_FREE(&t->spent);
}

/* ---- reading ---- */

static enum err wrong(const char *what, struct problem *p)
{
	return problem_set(p, ERR_MALFORMED, "%s is not as tenfold writes it", what);
}

/* Absent is zero. */
static bool read_i64(const struct node *object, const char *key, int64_t *out)
{
	const struct node *n = node_entry(object, str_of(key));

	*out = 0;
	return !n || (n->kind == NODE_NUMBER && str_to_i64(n->text, out) && *out >= 0);
}

static bool read_f64(const struct node *object, const char *key, double *out)
{
	const struct node *n = node_entry(object, str_of(key));

	*out = 0;
	return !n || (n->kind == NODE_NUMBER && str_to_f64(n->text, out) && *out >= 0);
}

static bool read_text(const struct node *object, const char *key, struct str *out)
{
	const struct node *n = node_entry(object, str_of(key));

	*out = n ? n->text : (struct str){0};
	return !n || n->kind == NODE_STRING;
}

bool state_is_day(struct str s)
{
	for (size_t i = 0; i < s.n && i < 10; i++)
		if (i == 4 || i == 7 ? s.p[i] != '-' : s.p[i] < '0' || s.p[i] > '9')
			return false;
	return s.n == 10;
}

static enum err read_cooling(const struct node *list, struct state_tables *out, struct problem *p)
{
	for (const struct node *n = list ? list->first : NULL; n; n = n->next) {
		struct cooling c = {.is_account = node_entry(n, STR("account")) != NULL};

		if (n->kind != NODE_OBJECT || !read_text(n, c.is_account ? "account" : "agent", &c.name) ||
		    c.name.n == 0 || !read_text(n, "reason", &c.reason) || !read_i64(n, "set_ms", &c.set_ms) ||
		    !read_i64(n, "until_ms", &c.until_ms))
			return wrong("cooling", p);
		*VEC_PUSH(&out->cooling) = c;
	}
	return OK;
}

static enum err read_turns(const struct node *map, struct state_tables *out, struct problem *p)
{
	for (const struct node *n = map ? map->first : NULL; n; n = n->next) {
		int64_t next;

		if (n->kind != NODE_NUMBER || !str_to_i64(n->text, &next) || next < 0)
			return wrong("turns", p);
		*VEC_PUSH(&out->turns) = (struct turn){n->key, (uint64_t)next};
	}
	return OK;
}

static bool read_one_spent(const struct node *n, struct spent *s)
{
	return n->kind == NODE_OBJECT && read_text(n, "day", &s->day) && state_is_day(s->day) &&
	       read_text(n, "rig", &s->rig) && read_text(n, "role", &s->role) && read_text(n, "agent", &s->agent) &&
	       read_text(n, "model", &s->model) && read_i64(n, "runs", &s->runs) &&
	       read_i64(n, "input", &s->input) && read_i64(n, "output", &s->output) &&
	       read_i64(n, "cache_read", &s->cache_read) && read_i64(n, "cache_write", &s->cache_write) &&
	       read_f64(n, "usd", &s->usd) && read_f64(n, "guessed_usd", &s->guessed_usd);
}

static enum err read_spent(const struct node *list, struct state_tables *out, struct problem *p)
{
	for (const struct node *n = list ? list->first : NULL; n; n = n->next) {
		struct spent s = {0};

		if (!read_one_spent(n, &s))
			return wrong("spent", p);
		*VEC_PUSH(&out->spent) = s;
	}
	return OK;
}

static enum err check_version(const struct node *root, struct problem *p)
{
	int64_t version = 0;

	if (!root || root->kind != NODE_OBJECT || !read_i64(root, "version", &version) || version == 0)
		return wrong("version", p);
	if (version > VERSION)
		return problem_set(p, ERR_SCHEMA,
				   "a newer tenfold wrote it (version %" PRId64 ", this one knows %d)", version,
				   VERSION);
	return OK;
}

static bool has_kind(const struct node *n, enum node_kind kind)
{
	return !n || n->kind == kind;
}

static enum err read_all(const struct node *root, struct state_tables *out, struct problem *p)
{
	const struct node *cooling = node_entry(root, STR("cooling")), *turns = node_entry(root, STR("turns"));
	const struct node *spent = node_entry(root, STR("spent"));
	enum err err;

	if (!has_kind(cooling, NODE_ARRAY) || !has_kind(turns, NODE_OBJECT) || !has_kind(spent, NODE_ARRAY))
		return wrong("a member", p);
	err = read_cooling(cooling, out, p);
	err = err ? err : read_turns(turns, out, p);
	return err ? err : read_spent(spent, out, p);
}

enum err state_decode(struct str text, struct arena *a, struct state_tables *out, struct problem *p)
{
	struct doc doc;
	enum err err;

	*out = (struct state_tables){0};
	if (text.n == 0)
		return OK;
	err = doc_parse(STR("its state"), text, a, &doc, p);
	err = err ? ERR_MALFORMED : check_version(doc.root, p);
	err = err ? err : read_all(doc.root, out, p);
	if (err)
		state_tables_free(out);
	return err;
}

/* ---- writing ---- */

static void write_text(struct buf *b, const char *key, struct str value)
{
	if (value.n == 0)
		return;
	buf_fmt(b, ", \"%s\": ", key);
	buf_json_text(b, value);
}

static void write_i64(struct buf *b, const char *key, int64_t value)
{
	if (value)
		buf_fmt(b, ", \"%s\": %" PRId64, key, value);
}

/* 17 digits: as many as a double needs to come back the same. */
static void write_f64(struct buf *b, const char *key, double value)
{
	if (value > 0)
		buf_fmt(b, ", \"%s\": %.17g", key, value);
}

static void write_cooling(struct buf *b, const struct cooling *c)
{
	buf_fmt(b, "{\"%s\": ", c->is_account ? "account" : "agent");
	buf_json_text(b, c->name);
	write_i64(b, "set_ms", c->set_ms);
	write_i64(b, "until_ms", c->until_ms);
	write_text(b, "reason", c->reason);
	buf_c(b, '}');
}

static void write_turn(struct buf *b, const struct turn *t)
{
	buf_json_text(b, t->pool);
	buf_fmt(b, ": %" PRIu64, t->next);
}

static void write_spent(struct buf *b, const struct spent *s)
{
	buf_z(b, "{\"day\": ");
	buf_json_text(b, s->day);
	write_text(b, "rig", s->rig);
	write_text(b, "role", s->role);
	write_text(b, "agent", s->agent);
	write_text(b, "model", s->model);
	write_i64(b, "runs", s->runs);
	write_i64(b, "input", s->input);
	write_i64(b, "output", s->output);
	write_i64(b, "cache_read", s->cache_read);
	write_i64(b, "cache_write", s->cache_write);
	write_f64(b, "usd", s->usd);
	write_f64(b, "guessed_usd", s->guessed_usd);
	buf_c(b, '}');
}

void state_encode(const struct state_tables *t, struct str town_dir, struct buf *b)
{
	buf_fmt(b, "{\n  \"version\": %d,\n  \"town\": ", VERSION);
	buf_json_text(b, town_dir);
	buf_z(b, ",\n  \"cooling\": [");
	for (size_t i = 0; i < t->cooling.n; i++) {
		buf_z(b, i ? ",\n    " : "\n    ");
		write_cooling(b, &t->cooling.v[i]);
	}
	buf_z(b, "],\n  \"turns\": {");
	for (size_t i = 0; i < t->turns.n; i++) {
		buf_z(b, i ? ",\n    " : "\n    ");
		write_turn(b, &t->turns.v[i]);
	}
	buf_z(b, "},\n  \"spent\": [");
	for (size_t i = 0; i < t->spent.n; i++) {
		buf_z(b, i ? ",\n    " : "\n    ");
		write_spent(b, &t->spent.v[i]);
	}
	buf_z(b, "]\n}\n");
}

/* ---- bounds ---- */

/* A clock that was set back would keep it cooling for as long as it went back; so that ends it. */
bool cooling_holds(const struct cooling *c, int64_t now_ms)
{
	return now_ms < c->until_ms && now_ms >= c->set_ms - BACK_MS;
}

static void bound_cooling(struct state_tables *t, int64_t now_ms)
{
	size_t n = 0, from;

	for (size_t i = 0; i < t->cooling.n; i++)
		if (cooling_holds(&t->cooling.v[i], now_ms))
			t->cooling.v[n++] = t->cooling.v[i];
	from = n > TOWN_STATE_NAMES ? n - TOWN_STATE_NAMES : 0;
	if (from)
		memmove(t->cooling.v, t->cooling.v + from, TOWN_STATE_NAMES * sizeof(*t->cooling.v));
	t->cooling.n = n - from;
}

static void bound_turns(struct state_tables *t)
{
	size_t from = t->turns.n > TOWN_STATE_NAMES ? t->turns.n - TOWN_STATE_NAMES : 0;

	if (from)
		memmove(t->turns.v, t->turns.v + from, TOWN_STATE_NAMES * sizeof(*t->turns.v));
	t->turns.n -= from;
}

static int by_row(const void *a, const void *b)
{
	const struct spent *x = a, *y = b;
	int order = str_cmp(x->day, y->day);

	order = order ? order : str_cmp(x->rig, y->rig);
	order = order ? order : str_cmp(x->role, y->role);
	order = order ? order : str_cmp(x->agent, y->agent);
	return order ? order : str_cmp(x->model, y->model);
}

bool spent_same_row(const struct spent *a, const struct spent *b)
{
	return by_row(a, b) == 0;
}

static int64_t sum(int64_t a, int64_t b)
{
	int64_t both;

	return __builtin_add_overflow(a, b, &both) ? INT64_MAX : both;
}

void spent_add(struct spent *to, const struct spent *one)
{
	to->runs = sum(to->runs, one->runs);
	to->input = sum(to->input, one->input);
	to->output = sum(to->output, one->output);
	to->cache_read = sum(to->cache_read, one->cache_read);
	to->cache_write = sum(to->cache_write, one->cache_write);
	to->usd += one->usd;
	to->guessed_usd += one->guessed_usd;
}

/* Rows in order, each once. */
static void sort_spent(struct state_tables *t)
{
	size_t n = 0;

	if (t->spent.n)
		qsort(t->spent.v, t->spent.n, sizeof(*t->spent.v), by_row);
	for (size_t i = 0; i < t->spent.n; i++) {
		if (n && spent_same_row(&t->spent.v[n - 1], &t->spent.v[i]))
			spent_add(&t->spent.v[n - 1], &t->spent.v[i]);
		else
			t->spent.v[n++] = t->spent.v[i];
	}
	t->spent.n = n;
}

static void drop_first(struct state_tables *t, size_t count)
{
	t->spent.n -= count;
	if (count && t->spent.n)
		memmove(t->spent.v, t->spent.v + count, t->spent.n * sizeof(*t->spent.v));
}

/* How many rows the oldest day has. */
static size_t oldest_day(const struct state_tables *t)
{
	size_t n = 0;

	while (n < t->spent.n && str_eq(t->spent.v[n].day, t->spent.v[0].day))
		n++;
	return n;
}

static size_t day_count(const struct state_tables *t)
{
	size_t days = 0;

	for (size_t i = 0; i < t->spent.n; i++)
		days += i == 0 || !str_eq(t->spent.v[i].day, t->spent.v[i - 1].day);
	return days;
}

/* By the number of days, not by their distance from now: a clock that jumped ahead for a while drops nothing. */
static enum err bound_spent(struct state_tables *t, struct problem *p)
{
	sort_spent(t);
	while (day_count(t) > TOWN_STATE_DAYS || (t->spent.n > TOWN_STATE_ROWS && day_count(t) > 1))
		drop_first(t, oldest_day(t));
	if (t->spent.n <= TOWN_STATE_ROWS)
		return OK;
	for (size_t i = 0; i < t->spent.n; i++)
		t->spent.v[i].agent = t->spent.v[i].model = (struct str){0};
	sort_spent(t);
	if (t->spent.n <= TOWN_STATE_ROWS)
		return OK;
	return problem_set(p, ERR_TOO_LARGE, "more than %d rigs and roles spent something in one day",
			   TOWN_STATE_ROWS);
}

enum err state_bound(struct state_tables *t, int64_t now_ms, struct problem *p)
{
	bound_cooling(t, now_ms);
	bound_turns(t);
	return bound_spent(t, p);
}
