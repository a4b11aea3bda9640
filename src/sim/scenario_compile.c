/*
 * A decoded scenario to one that runs: what stands once in a file, in the order in which one needs the other.
 */
#include "sim/scenario_priv.h"

#include "sim/nearest.h"
#include "sim/realism.h"
#include "json/pick.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* ---- faults ---- */

size_t path_into(struct compiler *c, const char *fmt, ...)
{
	size_t was = c->path_length;
	va_list args;
	int n;

	if (was && was + 1 < sizeof(c->path))
		c->path[c->path_length++] = '.';
	va_start(args, fmt);
	n = vsnprintf(c->path + c->path_length, sizeof(c->path) - c->path_length, fmt, args);
	va_end(args);
	c->path_length += n < 0 ? 0 : (size_t)n;
	if (c->path_length >= sizeof(c->path))
		c->path_length = sizeof(c->path) - 1;
	return was;
}

void path_back(struct compiler *c, size_t to)
{
	c->path_length = to;
	c->path[to] = '\0';
}

/* What all requests have in common is compiled with each of them, and said once. */
static bool is_said(const struct problem *p, const char *field, const char *why)
{
	for (unsigned i = 0; i < p->field_count; i++)
		if (strcmp(p->fields[i].field, field) == 0 && strcmp(p->fields[i].detail, why) == 0)
			return true;
	return false;
}

void compile_fault(struct compiler *c, const char *field, const char *fmt, ...)
{
	char why[sizeof(c->problem->fields[0].detail)];
	size_t back = c->path_length;
	va_list args;

	va_start(args, fmt);
	vsnprintf(why, sizeof(why), fmt, args);
	va_end(args);
	if (*field)
		back = path_into(c, "%s", field);
	if (!is_said(c->problem, c->path, why))
		problem_field(c->problem, ERR_INVALID, c->path, "%s", why);
	path_back(c, back);
}

void compile_too_large(struct compiler *c)
{
	if (!c->problem->err)
		problem_set(c->problem, ERR_TOO_LARGE, "needs more memory than a scenario may use");
}

/* ---- expressions ---- */

static const struct expr *constant(struct compiler *c, struct value v)
{
	const struct expr *e = expr_constant(v, c->arena);

	if (!e)
		compile_too_large(c);
	return e;
}

static const struct expr *expr_of_text(struct compiler *c, const struct expr_names *names, const char *field,
				       struct str quoted)
{
	struct str inside = {quoted.p + 1, quoted.n - 2};
	char *meant = ARENA_ARRAY(c->arena, char, inside.n + 1);
	const struct expr *e = NULL;
	struct problem p = {0};

	if (!meant)
		compile_too_large(c);
	else if (expr_compile((struct str){meant, pick_unescape(inside, meant)}, names, c->arena, &e, &p))
		compile_fault(c, field, "%s", p.detail);
	return e;
}

const struct expr *compile_expr(struct compiler *c, const struct expr_names *names, const char *field,
				struct str raw)
{
	double number;

	if (raw.n == 0)
		return NULL;
	if (raw.p[0] == '"')
		return expr_of_text(c, names, field, raw);
	if (raw.p[0] == 't' || raw.p[0] == 'f')
		return constant(c, value_bool(raw.p[0] == 't'));
	if (str_to_f64(raw, &number))
		return constant(c, value_number(number));
	compile_fault(c, field, "must be a number, true, false or a text with an expression");
	return NULL;
}

const struct expr *compile_bounded(struct compiler *c, const struct expr_names *names, const char *field,
				   struct str raw, double least, double most)
{
	const struct expr *e = compile_expr(c, names, field, raw);
	const struct value *v = e ? expr_is_constant(e) : NULL;

	if (v && v->kind != VALUE_NUMBER && v->kind != VALUE_BOOL)
		compile_fault(c, field, "must be a number, not %s", value_kind_name(v->kind));
	else if (v && v->kind == VALUE_NUMBER && !(v->number >= least && v->number <= most))
		compile_fault(c, field, "must be from %g to %g, not %g", least, most, v->number);
	return e;
}

/* ---- names ---- */

void check_names(struct compiler *c, const char *list, const struct str *names, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		size_t back = path_into(c, "%s[%u]", list, i);
		struct problem p = {0};

		if (expr_check_name(names[i], &p))
			compile_fault(c, "name", "%s", p.detail);
		for (unsigned j = 0; j < i; j++)
			if (str_eq(names[i], names[j]))
				compile_fault(c, "name", "stands twice, also in %s[%u]", list, j);
		path_back(c, back);
	}
}

static unsigned find_name(struct compiler *c, const char *field, struct str name, const struct str *among,
			  unsigned count, const char *what)
{
	struct nearest n = nearest_to(name);

	for (unsigned i = 0; i < count; i++) {
		if (str_eq(among[i], name))
			return i;
		nearest_consider(&n, among[i]);
	}
	compile_fault(c, field, "there is no %s \"%.*s\"%s", what, STRF(str_clip(name, 64)), nearest_hint(&n).text);
	return NOWHERE;
}

unsigned find_attribute(struct compiler *c, const char *field, struct str name)
{
	return find_name(c, field, name, c->s->attributes, c->s->attribute_count, "attribute");
}

unsigned find_variable(struct compiler *c, const char *field, struct str name)
{
	return find_name(c, field, name, c->s->variables, c->s->variable_count, "variable");
}

unsigned find_state(struct compiler *c, const char *field, struct str name)
{
	struct str names[256];
	unsigned count = (unsigned)c->s->file.states_count;

	for (unsigned i = 0; i < count; i++)
		names[i] = c->s->file.states[i].name;
	return name.n ? find_name(c, field, name, names, count, "state") : NOWHERE;
}

unsigned find_outcome(struct compiler *c, const char *field, struct str name)
{
	struct str names[16];
	unsigned count = (unsigned)c->s->file.outcomes_count;

	for (unsigned i = 0; i < count; i++)
		names[i] = c->s->file.outcomes[i].name;
	return name.n ? find_name(c, field, name, names, count, "outcome") : NOWHERE;
}

/* ---- parameters, tables, variables ---- */

static struct str *names_of(struct compiler *c, size_t count)
{
	struct str *names = ARENA_ARRAY(c->arena, struct str, count);

	if (!names)
		compile_too_large(c);
	return names;
}

static void compile_parameters(struct compiler *c)
{
	struct scenario *s = c->s;
	size_t count = s->file.parameters_count;

	s->parameters = names_of(c, count);
	s->cohorts[0] =
		(struct cohort){.name = STR("all"), .share = 1, .parameters = ARENA_ARRAY(c->arena, double, count)};
	s->cohort_count = 1;
	if (!s->parameters || !s->cohorts[0].parameters)
		return;
	for (size_t i = 0; i < count; i++) {
		s->parameters[i] = s->file.parameters[i].name;
		s->cohorts[0].parameters[i] = s->file.parameters[i].value;
	}
	s->parameter_count = (unsigned)count;
	check_names(c, "parameters", s->parameters, s->parameter_count);
}

/* A JSON value that lasts: all of it points into the file or the arena. */
static struct value lasting_json(struct compiler *c, struct str json)
{
	struct memory_stock stock = {0};
	struct memory m = {.stock = &stock, .max = (size_t)16 << 20};
	struct value v = value_made_of_json(json, false, &m), kept = {0};

	if (m.overflowed)
		compile_too_large(c);
	else
		kept = value_own(&v, c->arena);
	memory_clear(&m);
	memory_stock_free(&stock);
	return kept;
}

static void compile_table(struct compiler *c, unsigned i)
{
	const struct scenario_table *t = &c->s->file.tables[i];
	struct value v = lasting_json(c, t->rows);
	size_t back = path_into(c, "tables[%u]", i);

	c->s->tables[i] = t->name;
	c->s->table_values[i] = v;
	if (v.kind != VALUE_LIST && !c->problem->err)
		compile_fault(c, "rows", "must be a list");
	for (uint32_t k = 0; v.kind == VALUE_LIST && k < v.count; k++)
		if (v.items[k].kind != VALUE_RECORD) {
			compile_fault(c, "rows", "must be a list of records, not of %s",
				      value_kind_name(v.items[k].kind));
			break;
		}
	path_back(c, back);
}

static void compile_tables(struct compiler *c)
{
	size_t count = c->s->file.tables_count;

	c->s->tables = names_of(c, count);
	c->s->table_values = ARENA_ARRAY(c->arena, struct value, count);
	if (!c->s->tables || !c->s->table_values)
		return;
	c->s->table_count = (unsigned)count;
	for (unsigned i = 0; i < count; i++)
		compile_table(c, i);
	check_names(c, "tables", c->s->tables, c->s->table_count);
}

/* What a variable is at first sees no other variable. */
static void compile_variable(struct compiler *c, unsigned i)
{
	const struct scenario_named *v = &c->s->file.variables[i];
	size_t back = path_into(c, "variables[%u]", i);
	const struct value *known;
	const struct expr *e;

	if (v->value.p[0] == '[' || v->value.p[0] == '{' || v->value.p[0] == 'n') {
		c->s->initial[i] = lasting_json(c, v->value);
	} else {
		e = compile_expr(c, &c->names, "value", v->value);
		known = e ? expr_is_constant(e) : NULL;
		c->s->initial_expr[i] = known ? NULL : e;
		c->s->initial[i] = known ? *known : (struct value){0};
		c->s->initial_is_constant &= known != NULL;
	}
	path_back(c, back);
}

static void check_parameters_apart(struct compiler *c)
{
	for (unsigned i = 0; i < c->s->variable_count; i++)
		for (unsigned k = 0; k < c->s->parameter_count; k++)
			if (str_eq(c->s->variables[i], c->s->parameters[k])) {
				size_t back = path_into(c, "variables[%u]", i);

				compile_fault(c, "name", "is also the name of a parameter, in parameters[%u]", k);
				path_back(c, back);
			}
}

static void compile_variables(struct compiler *c)
{
	struct scenario *s = c->s;
	size_t count = s->file.variables_count;

	s->variables = names_of(c, count);
	s->initial = ARENA_ARRAY(c->arena, struct value, count);
	s->initial_expr = arena_array(c->arena, count, sizeof(*s->initial_expr));
	s->initial_is_constant = true;
	if (!s->variables || !s->initial || !s->initial_expr)
		return;
	for (unsigned i = 0; i < count; i++) {
		s->variables[i] = s->file.variables[i].name;
		compile_variable(c, i);
	}
	s->variable_count = (unsigned)count;
	check_names(c, "variables", s->variables, s->variable_count);
	check_parameters_apart(c);
	c->names.variables = s->variables;
	c->names.variable_count = s->variable_count;
}

/* ---- headers ---- */

static bool is_token(struct str name)
{
	static const char signs[] = "!#$%&'*+-.^_`|~";

	for (size_t i = 0; i < name.n; i++) {
		char ch = name.p[i];
		bool plain = (ch >= 'a' && ch <= 'z') || (ch >= 'A' && ch <= 'Z') || (ch >= '0' && ch <= '9');

		if (!plain && (ch == '\0' || !strchr(signs, ch)))
			return false;
	}
	return name.n > 0;
}

static bool is_clients_own(struct str name)
{
	static const char *const own[] = {"Host", "Content-Length", "Connection", "Transfer-Encoding", "Expect"};

	for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++)
		if (str_eq_nocase(name, str_of(own[i])))
			return true;
	return false;
}

static bool has_control(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if ((unsigned char)s.p[i] < ' ' || s.p[i] == 0x7f)
			return true;
	return false;
}

static void compile_header(struct compiler *c, const struct expr_names *names, const struct json_pair *pair,
			   struct template *out)
{
	struct problem p = {0};
	char field[96];

	snprintf(field, sizeof(field), "headers.%.*s", STRF(str_clip(pair->key, 64)));
	if (!is_token(pair->key))
		compile_fault(c, field, "is no name of a header");
	else if (is_clients_own(pair->key))
		compile_fault(c, field, "is written by the client itself");
	else if (has_control(pair->value))
		compile_fault(c, field, "has a control character");
	else if (template_add_literal(out, arena_fmt(c->arena, "%.*s: ", STRF(pair->key)), c->arena))
		compile_too_large(c);
	else if (template_add(out, pair->value, TEMPLATE_HEADER, names, c->arena, &p))
		compile_fault(c, field, "%s", p.detail);
	else if (template_add_literal(out, STR("\r\n"), c->arena))
		compile_too_large(c);
}

void compile_headers(struct compiler *c, const struct expr_names *names, const struct json_pair *pairs,
		     size_t count, struct template *out)
{
	for (size_t i = 0; i < count; i++)
		compile_header(c, names, &pairs[i], out);
}

/* ---- outcomes, what is kept, special journeys ---- */

static void compile_outcomes(struct compiler *c)
{
	struct scenario *s = c->s;

	s->completed = s->failed = NOWHERE;
	for (unsigned i = (unsigned)s->file.outcomes_count; i-- > 0;) {
		if (s->file.outcomes[i].kind == SCENARIO_COMPLETED)
			s->completed = i;
		if (s->file.outcomes[i].kind == SCENARIO_FAILED)
			s->failed = i;
		for (unsigned k = 0; k < i; k++)
			if (str_eq(s->file.outcomes[i].name, s->file.outcomes[k].name))
				compile_fault(c, "outcomes", "\"%.*s\" stands twice",
					      STRF(s->file.outcomes[i].name));
	}
	if (s->completed == NOWHERE)
		compile_fault(c, "outcomes", "needs one of kind \"completed\"");
	if (s->failed == NOWHERE)
		compile_fault(c, "outcomes", "needs one of kind \"failed\": requests can fail");
}

static void compile_kept(struct compiler *c)
{
	for (unsigned i = 0; i < c->s->file.keep_count; i++) {
		size_t back = path_into(c, "keep[%u]", i);

		c->s->kept[i] = compile_expr(c, &c->names, "value", c->s->file.keep[i].value);
		path_back(c, back);
	}
}

static void compile_offers(struct compiler *c)
{
	const struct scenario_offers *o = &c->s->file.offers;

	c->s->offers = (struct offer_rules){.period_days = (uint32_t)o->period_days,
					    .expiry_days = (uint32_t)o->expiry_days,
					    .apart_days = (uint32_t)o->apart_days,
					    .front = (uint32_t)o->front,
					    .other = (uint32_t)o->other,
					    .front_pool = (uint32_t)o->front_pool,
					    .other_pool = (uint32_t)o->other_pool};
	if (o->front + o->other > OFFERS_MAX)
		compile_fault(c, "offers", "front and other together are at most %d", OFFERS_MAX);
	c->s->offer_state = find_state(c, "offers.state", o->state);
}

static void compile_starts(struct compiler *c)
{
	struct scenario *s = c->s;

	s->start = find_state(c, "start", s->file.start);
	s->on_fail = HAS(&s->file, scenario_file, on_fail) ? find_state(c, "on_fail", s->file.on_fail) : NOWHERE;
	s->idle = s->cleanup = s->offer_state = NOWHERE;
	if (HAS(&s->file, scenario_file, idle)) {
		s->idle = find_state(c, "idle.state", s->file.idle.state);
		s->idle_probability =
			compile_bounded(c, &c->names, "idle.probability", s->file.idle.probability, 0, 1);
	}
	if (HAS(&s->file, scenario_file, cleanup))
		s->cleanup = find_state(c, "cleanup.state", s->file.cleanup.state);
	if (HAS(&s->file, scenario_file, offers))
		compile_offers(c);
}

/* So that nobody learns after a long run that there is nothing to hold it against. */
static void check_profile(struct compiler *c)
{
	struct nearest n = nearest_to(c->s->file.profile);

	if (!HAS(&c->s->file, scenario_file, profile))
		return;
	for (unsigned i = 0; profile_built_in(i); i++) {
		if (str_eqz(c->s->file.profile, profile_built_in(i)->name))
			return;
		nearest_consider(&n, str_of(profile_built_in(i)->name));
	}
	compile_fault(c, "profile", "there is no profile \"%.*s\"%s", STRF(str_clip(c->s->file.profile, 64)),
		      nearest_hint(&n).text);
}

static unsigned session_facts(const struct scenario *s)
{
	unsigned all = (1u << FACT_COUNT) - 1;

	all &= ~FACT_BIT(FACT_BODY);
	if (!HAS(&s->file, scenario_file, offers))
		all &= ~(FACT_BIT(FACT_OFFERS) | FACT_BIT(FACT_OFFER_PERIOD));
	return all;
}

enum err scenario_compile(struct scenario *s, struct problem *p)
{
	struct compiler c = {.s = s, .arena = s->arena, .problem = p};

	check_profile(&c);
	compile_parameters(&c);
	compile_tables(&c);
	c.names.parameters = s->parameters;
	c.names.parameter_count = s->parameter_count;
	c.names.tables = s->tables;
	c.names.table_count = s->table_count;
	c.names.draws = true;
	compile_population(&c);
	compile_schedule(&c);
	c.names.facts = session_facts(s);
	compile_variables(&c);
	compile_outcomes(&c);
	compile_kept(&c);
	compile_starts(&c);
	compile_states(&c);
	if (!p->err)
		check_ways(&c);
	if (arena_overflowed(s->arena))
		compile_too_large(&c);
	return p->err;
}
