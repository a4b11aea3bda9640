/*
 * What a name means: an element, a parameter, a variable, a fact, an attribute of the agent, a table.
 */
#include "sim/expr_priv.h"

#include "sim/nearest.h"

#include <stdio.h>
#include <string.h>

static const char *const fact_names[] = {
#define FACT(NAME, name, doc) name,
#include "sim/facts.def"
#undef FACT
};

static const struct expr_function functions[] = {
#define FUNCTION(name, kind, least, most, call, doc) {#name, call, doc, least, most, FUNCTION_##kind},
#include "sim/functions.def"
#undef FUNCTION
};

/* Words that mean something by themselves. */
static const char *const words[] = {"true", "false", "null", "in", "agent", "session", "table"};

const struct expr_function *expr_function(unsigned i)
{
	return i < FUNCTION_COUNT ? &functions[i] : NULL;
}

struct expr *new_node(struct parser *p, enum node kind, unsigned count)
{
	struct expr *e = arena_alloc(p->arena, sizeof(*e) + count * sizeof(e->of[0]));

	if (!e) {
		if (!p->lexer.err)
			p->lexer.err = problem_set(p->lexer.problem, ERR_TOO_LARGE,
						   "needs more memory than a scenario may use");
		return NULL;
	}
	e->kind = kind;
	e->count = count;
	return e;
}

static const struct expr *index_node(struct parser *p, enum node kind, unsigned index)
{
	struct expr *e = new_node(p, kind, 0);

	if (e)
		e->index = index;
	return e;
}

static const struct expr *fact_node(struct parser *p, enum fact f, unsigned index)
{
	struct expr *e = new_node(p, NODE_FACT, 0);

	if (e) {
		e->sign = (int)f;
		e->index = index;
	}
	return e;
}

static int find(struct str name, const struct str *among, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		if (str_eq(among[i], name))
			return (int)i;
	return -1;
}

static int find_fact(const char *before, struct str name)
{
	size_t n = strlen(before);

	for (unsigned i = 0; i < FACT_COUNT; i++)
		if (strncmp(fact_names[i], before, n) == 0 && str_eqz(name, fact_names[i] + n))
			return (int)i;
	return -1;
}

static void consider_facts(struct nearest *n, const struct expr_names *names, const char *before)
{
	size_t length = strlen(before);

	for (unsigned i = 0; i < FACT_COUNT; i++)
		if (names->facts & FACT_BIT(i) && strncmp(fact_names[i], before, length) == 0)
			nearest_consider(n, str_of(fact_names[i] + length));
}

static const struct expr *unknown(struct parser *p, struct str name, size_t at)
{
	const struct expr_names *names = p->names;
	struct nearest n = nearest_to(name);

	for (unsigned i = 0; i < p->item_count; i++)
		nearest_consider(&n, p->items[i]);
	nearest_consider_all(&n, names->variables, names->variable_count);
	nearest_consider_all(&n, names->parameters, names->parameter_count);
	consider_facts(&n, names, "");
	if (find(name, names->attributes, names->attribute_count) >= 0)
		lexer_fault(&p->lexer, at, "there is no \"%.*s\"; did you mean agent.%.*s?", STRF(name),
			    STRF(name));
	else if (find(name, names->tables, names->table_count) >= 0)
		lexer_fault(&p->lexer, at, "there is no \"%.*s\"; did you mean table.%.*s?", STRF(name),
			    STRF(name));
	else
		lexer_fault(&p->lexer, at, "there is no \"%.*s\"%s", STRF(name), nearest_hint(&n).text);
	return NULL;
}

static const struct expr *allowed_fact(struct parser *p, int f, size_t at)
{
	if (p->names->facts & FACT_BIT(f))
		return fact_node(p, (enum fact)f, 0);
	if (f == FACT_BODY)
		lexer_fault(&p->lexer, at,
			    "the body is there only in expect, set and event of a step with a request");
	else
		lexer_fault(&p->lexer, at, "%s is not known here", fact_names[f]);
	return NULL;
}

/* The name behind "agent." and the like. */
static bool take_second(struct parser *p, const char *first, struct str *name, size_t *at)
{
	if (p->lexer.word == '.')
		lexer_next(&p->lexer);
	else
		lexer_fault(&p->lexer, p->lexer.from, "a '.' and a name belong behind %s", first);
	*name = p->lexer.meant;
	*at = p->lexer.from;
	if (p->lexer.word != WORD_NAME)
		lexer_fault(&p->lexer, p->lexer.from, "a name belongs behind %s.", first);
	lexer_next(&p->lexer);
	return !p->lexer.err;
}

static const struct expr *second_name(struct parser *p, const char *before, const struct str *among, unsigned count,
				      enum node kind)
{
	struct nearest n;
	struct str name;
	size_t at;
	int found;

	if (!take_second(p, before, &name, &at))
		return NULL;
	found = find(name, among, count);
	if (found >= 0)
		return kind == NODE_TABLE ? index_node(p, NODE_TABLE, (unsigned)found)
					  : fact_node(p, FACT_ATTRIBUTE, (unsigned)found);
	n = nearest_to(name);
	nearest_consider_all(&n, among, count);
	lexer_fault(&p->lexer, at, "there is no %s.%.*s%s", before, STRF(name), nearest_hint(&n).text);
	return NULL;
}

/* agent.id, agent.number, session.id, session.number: else -1, and the lexer is where it was. */
static int second_fact(struct parser *p, const char *before, size_t *at)
{
	struct lexer back = p->lexer;
	struct str name;
	int f = -1;

	*at = back.from;
	if (p->lexer.word == '.') {
		lexer_next(&p->lexer);
		name = p->lexer.meant;
		f = p->lexer.word == WORD_NAME ? find_fact(before, name) : -1;
	}
	if (f < 0)
		p->lexer = back;
	else
		lexer_next(&p->lexer);
	return f;
}

static const struct expr *agent_node(struct parser *p)
{
	size_t at;
	int f = second_fact(p, "agent.", &at);

	if (f >= 0)
		return allowed_fact(p, f, at);
	return second_name(p, "agent", p->names->attributes, p->names->attribute_count, NODE_FACT);
}

static const struct expr *session_node(struct parser *p)
{
	size_t at;
	int f = second_fact(p, "session.", &at);

	if (f >= 0)
		return allowed_fact(p, f, at);
	lexer_fault(&p->lexer, at, "of a session there are session.id and session.number");
	return NULL;
}

static const struct expr *item_node(struct parser *p, struct str name)
{
	for (unsigned i = p->item_count; i-- > 0;)
		if (str_eq(p->items[i], name))
			return index_node(p, NODE_ITEM, i);
	return NULL;
}

const struct expr *name_node(struct parser *p, struct str name, size_t at)
{
	const struct expr_names *names = p->names;
	const struct expr *item = name.n ? item_node(p, name) : NULL;
	int found;

	if (item || p->lexer.err)
		return item;
	if (str_eqz(name, "agent"))
		return agent_node(p);
	if (str_eqz(name, "session"))
		return session_node(p);
	if (str_eqz(name, "table"))
		return second_name(p, "table", names->tables, names->table_count, NODE_TABLE);
	if ((found = find(name, names->variables, names->variable_count)) >= 0)
		return index_node(p, NODE_VARIABLE, (unsigned)found);
	if ((found = find(name, names->parameters, names->parameter_count)) >= 0)
		return index_node(p, NODE_PARAMETER, (unsigned)found);
	if ((found = find_fact("", name)) >= 0)
		return allowed_fact(p, found, at);
	return unknown(p, name, at);
}

int name_function(struct parser *p, struct str name, size_t at)
{
	struct nearest n = nearest_to(name);

	for (unsigned i = 0; i < FUNCTION_COUNT; i++) {
		if (str_eqz(name, functions[i].name))
			return (int)i;
		nearest_consider(&n, str_of(functions[i].name));
	}
	lexer_fault(&p->lexer, at, "there is no function %.*s()%s", STRF(name), nearest_hint(&n).text);
	return -1;
}

static bool is_name(struct str s)
{
	static const char more[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789";

	for (size_t i = 0; i < s.n; i++) {
		const char *c = s.p[i] ? strchr(more, s.p[i]) : NULL;

		if (!c || (i == 0 && c - more >= 53))
			return false;
	}
	return s.n > 0;
}

enum err expr_check_name(struct str name, struct problem *p)
{
	bool taken = find_fact("", name) >= 0;

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		taken |= str_eqz(name, words[i]);
	if (!is_name(name))
		return problem_set(p, ERR_INVALID,
				   "must be a name that expressions can use: letters, digits and '_', "
				   "beginning with a letter");
	if (taken)
		return problem_set(p, ERR_INVALID, "%.*s means something else in expressions: take another name",
				   STRF(name));
	return OK;
}
