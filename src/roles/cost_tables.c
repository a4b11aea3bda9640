/*
 * Prices and use as the user states them: prices.json and usage.json of the data directory.
 */
#include "roles/cost.h"

#include "base/vec.h"
#include "roles/doc.h"

#include <math.h>
#include <string.h>

enum { TABLE_BYTES_MAX = 1 << 20 };

struct reading_table {
	struct doc doc;
	struct arena *arena;
	struct problem *problem;
};

static enum err fault(const struct reading_table *r, const struct node *n, const char *what)
{
	struct place at = doc_place(&r->doc, n);

	return problem_set(r->problem, ERR_INVALID, "%.*s:%d:%d: %s", STRF(r->doc.path), at.line, at.column, what);
}

/* ---- members ---- */

/* Absent: *out stays. */
static enum err amount(const struct reading_table *r, const struct node *row, const char *key, double *out)
{
	const struct node *n = node_member(row, str_of(key));

	if (!n)
		return OK;
	if (n->kind != NODE_NUMBER || !str_to_f64(n->text, out) || !isfinite(*out) || *out < 0)
		return fault(r, n, "must be a number, 0 or more");
	return OK;
}

static enum err needed(const struct reading_table *r, const struct node *row, const char *key, double *out)
{
	if (!node_member(row, str_of(key)))
		return fault(r, row, strcmp(key, "input") == 0 ? "input is missing" : "output is missing");
	return amount(r, row, key, out);
}

static enum err word(const struct reading_table *r, const struct node *row, const char *key, const char **out)
{
	const struct node *n = node_member(row, str_of(key));

	if (n && n->kind != NODE_STRING)
		return fault(r, n, "must be a text");
	*out = n ? arena_z(r->arena, n->text) : *out;
	return OK;
}

static enum err amounts(const struct reading_table *r, const struct node *row, double *input, double *output,
			double *cache_read, double *cache_write)
{
	enum err err = needed(r, row, "input", input);

	err = err ? err : needed(r, row, "output", output);
	*cache_read = *cache_write = err ? 0 : *input;
	err = err ? err : amount(r, row, "cache_read", cache_read);
	return err ? err : amount(r, row, "cache_write", cache_write);
}

/* ---- rows ---- */

static enum err read_price(const struct reading_table *r, const struct node *row, struct price *out)
{
	const struct node *model = node_member(row, STR("model"));
	enum err err;

	*out = (struct price){.date = "", .source = "prices.json"};
	if (row->kind != NODE_OBJECT || !model || model->kind != NODE_STRING || model->text.n == 0)
		return fault(r, row, "a row must be {\"model\": \"…\", \"input\": …, \"output\": …}");
	out->model = arena_z(r->arena, model->text);
	err = amounts(r, row, &out->input, &out->output, &out->cache_read, &out->cache_write);
	err = err ? err : word(r, row, "date", &out->date);
	return err ? err : word(r, row, "source", &out->source);
}

static enum err read_usage(const struct reading_table *r, const struct node *row, struct usage *out)
{
	const struct node *role = node_member(row, STR("role"));
	enum err err;

	*out = (struct usage){.role = ROLE_UNKNOWN, .date = "", .source = "usage.json"};
	if (row->kind != NODE_OBJECT || !role || role->kind != NODE_STRING)
		return fault(r, row, "a row must be {\"role\": \"…\", \"input\": …, \"output\": …}");
	out->role = role_by_text(role->text);
	if (out->role == ROLE_UNKNOWN)
		return fault(r, role,
			     "is not a role; roles are mayor, deacon, witness, refinery, polecat, crew, boot, dog");
	err = amounts(r, row, &out->input, &out->output, &out->cache_read, &out->cache_write);
	err = err ? err : word(r, row, "date", &out->date);
	return err ? err : word(r, row, "source", &out->source);
}

/* ---- files ---- */

/* OK with no root: there is no such file. */
static enum err read_rows(struct files *f, struct str data_dir, const char *name, struct reading_table *r)
{
	const char *path = arena_fmt(r->arena, "%.*s/%s", STRF(data_dir), name).p;
	struct stamp stamp;
	struct str text;
	enum err err;

	r->doc = (struct doc){0};
	if (!path)
		return problem_set(r->problem, ERR_TOO_LARGE, "the name of the data directory is too long");
	err = f->read(f, path, TABLE_BYTES_MAX, r->arena, &text, &stamp, r->problem);
	if (err)
		return err == ERR_NOT_FOUND ? OK : err;
	err = doc_parse(str_of(name), text, r->arena, &r->doc, r->problem);
	if (!err && r->doc.root->kind != NODE_ARRAY)
		return fault(r, r->doc.root, "must be a list of rows");
	return err;
}

static enum err full(const struct reading_table *r)
{
	return arena_overflowed(r->arena)
		       ? problem_set(r->problem, ERR_TOO_LARGE, "the tables do not fit into memory")
		       : OK;
}

static enum err load_prices(struct files *f, struct str data_dir, struct reading_table *r, struct cost_tables *out)
{
	enum err err = read_rows(f, data_dir, "prices.json", r);
	struct price *rows = !err && r->doc.root ? ARENA_ARRAY(r->arena, struct price, r->doc.root->count) : NULL;
	size_t n = 0;

	for (const struct node *row = rows ? r->doc.root->first : NULL; row && !err; row = row->next)
		err = read_price(r, row, &rows[n++]);
	out->prices = rows;
	out->price_count = n;
	return err ? err : full(r);
}

static enum err load_usages(struct files *f, struct str data_dir, struct reading_table *r, struct cost_tables *out)
{
	enum err err = read_rows(f, data_dir, "usage.json", r);
	struct usage *rows = !err && r->doc.root ? ARENA_ARRAY(r->arena, struct usage, r->doc.root->count) : NULL;
	size_t n = 0;

	for (const struct node *row = rows ? r->doc.root->first : NULL; row && !err; row = row->next)
		err = read_usage(r, row, &rows[n++]);
	out->usages = rows;
	out->usage_count = n;
	return err ? err : full(r);
}

enum err cost_tables_load(struct files *f, struct str data_dir, struct arena *a, struct cost_tables *out,
			  struct problem *p)
{
	struct reading_table r = {.arena = a, .problem = p};
	enum err err;

	*out = (struct cost_tables){0};
	if (data_dir.n == 0)
		return OK;
	err = load_prices(f, data_dir, &r, out);
	err = err ? err : load_usages(f, data_dir, &r, out);
	if (err)
		*out = (struct cost_tables){0};
	return err;
}
