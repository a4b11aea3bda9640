/*
 * The grammar, by recursive descent; what only holds constants is computed at once.
 *
 *   choice  = binary [ "?" choice ":" choice ]
 *   binary  = unary { operator unary }            by the operators' strength
 *   unary   = ( "!" | "-" ) unary | primary { "." name | "[" choice "]" }
 *   primary = number | text | name | name "(" arguments ")" | "(" choice ")" | "[" … "]" | "{" name ":" choice … "}"
 */
#include "sim/expr_priv.h"

#include <stdio.h>

static const struct expr *choice(struct parser *p);

/* ---- constants ---- */

const struct expr *expr_constant(struct value v, struct arena *a)
{
	struct expr *e = ARENA_NEW(a, struct expr);

	if (e) {
		e->kind = NODE_CONSTANT;
		e->value = v;
		e->value.lasting = true;
	}
	return e;
}

const struct expr *expr_concat(const struct expr *const *of, unsigned count, struct arena *a)
{
	struct expr *e = arena_alloc(a, sizeof(*e) + count * sizeof(e->of[0]));

	if (!e)
		return NULL;
	e->kind = NODE_CALL;
	e->index = FUNCTION_concat;
	e->count = count;
	for (unsigned i = 0; i < count; i++)
		e->of[i] = of[i];
	return e;
}

const struct value *expr_is_constant(const struct expr *e)
{
	return e->kind == NODE_CONSTANT ? &e->value : NULL;
}

static const struct expr *constant(struct parser *p, struct value v)
{
	struct expr *e = new_node(p, NODE_CONSTANT, 0);

	if (e) {
		e->value = v;
		e->value.lasting = true;
	}
	return e;
}

static bool all_constant(const struct expr *e)
{
	for (unsigned i = 0; i < e->count; i++)
		if (!e->of[i] || e->of[i]->kind != NODE_CONSTANT)
			return false;
	return e->kind != NODE_CALL || expr_function(e->index)->kind == FUNCTION_PURE;
}

/* The node, or its value when that is a number or a truth and depends on nothing. */
static const struct expr *folded(struct parser *p, const struct expr *e, size_t at)
{
	struct memory_stock stock = {0};
	struct memory m = {.stock = &stock, .max = EXPR_TEXT_MAX * 8};
	struct buf text = BUF_INIT(EXPR_TEXT_MAX);
	struct expr_env env = {.memory = &m, .text = &text};
	struct value v;

	if (!e || p->lexer.err || !all_constant(e))
		return e;
	v = expr_value(e, &env);
	memory_clear(&m);
	memory_stock_free(&stock);
	buf_free(&text);
	if (env.failed) {
		lexer_fault(&p->lexer, at, "%s", env.failure);
		return NULL;
	}
	return v.kind == VALUE_NUMBER || v.kind == VALUE_BOOL ? constant(p, v) : e;
}

/* ---- what stands between brackets ---- */

static bool take(struct parser *p, int sign)
{
	if (p->lexer.err || p->lexer.word != sign)
		return false;
	lexer_next(&p->lexer);
	return !p->lexer.err;
}

static void need(struct parser *p, char sign, const char *why)
{
	if (!take(p, sign))
		lexer_fault(&p->lexer, p->lexer.from, "expected '%c' %s", sign, why);
}

/* Arguments, elements, members. */
struct parts {
	const struct expr *of[EXPR_ARGUMENTS_MAX];
	unsigned count;
};

static void add_part(struct parser *p, struct parts *parts, const struct expr *e)
{
	if (parts->count == EXPR_ARGUMENTS_MAX)
		lexer_fault(&p->lexer, p->lexer.from, "at most %d stand between two brackets", EXPR_ARGUMENTS_MAX);
	else
		parts->of[parts->count++] = e;
}

static struct expr *with_parts(struct parser *p, enum node kind, const struct parts *parts)
{
	struct expr *e = p->lexer.err ? NULL : new_node(p, kind, parts->count);

	for (unsigned i = 0; e && i < parts->count; i++)
		e->of[i] = parts->of[i];
	return e;
}

/* A list of constants is a constant itself. */
static const struct expr *constant_list(struct parser *p, const struct parts *parts)
{
	struct value *items = ARENA_ARRAY(p->arena, struct value, parts->count);

	for (unsigned i = 0; items && i < parts->count; i++)
		items[i] = parts->of[i]->value;
	return constant(p, items ? value_list(items, parts->count, true) : (struct value){0});
}

static const struct expr *list(struct parser *p)
{
	struct parts parts = {.count = 0};
	struct expr *e;

	while (!p->lexer.err && p->lexer.word != ']') {
		add_part(p, &parts, choice(p));
		if (!take(p, ','))
			break;
	}
	need(p, ']', "at the list's end");
	e = with_parts(p, NODE_LIST, &parts);
	return e && all_constant(e) ? constant_list(p, &parts) : e;
}

static const struct expr *record(struct parser *p)
{
	struct parts parts = {.count = 0};

	while (!p->lexer.err && p->lexer.word != '}') {
		bool named = p->lexer.word == WORD_NAME || p->lexer.word == WORD_TEXT;
		struct str name = p->lexer.meant;

		if (!named || !str_is_utf8(name))
			lexer_fault(&p->lexer, p->lexer.from, "expected the name of a member");
		lexer_next(&p->lexer);
		need(p, ':', "behind a member's name");
		add_part(p, &parts, constant(p, value_text(name, true)));
		add_part(p, &parts, choice(p));
		if (!take(p, ','))
			break;
	}
	need(p, '}', "at the record's end");
	return with_parts(p, NODE_RECORD, &parts);
}

/* Is what stands here "name ->"? Takes it if so. */
static bool take_element_name(struct parser *p, struct str *name)
{
	struct lexer back = p->lexer;

	*name = p->lexer.meant;
	if (p->lexer.word == WORD_NAME) {
		lexer_next(&p->lexer);
		if (take(p, WORD_ARROW))
			return true;
	}
	p->lexer = back;
	return false;
}

static const struct expr *argument(struct parser *p, const struct expr_function *f, unsigned which)
{
	const struct expr *e;
	struct str name;

	if (f->kind != FUNCTION_EACH || which != 1)
		return choice(p);
	if (!take_element_name(p, &name)) {
		lexer_fault(&p->lexer, p->lexer.from, "expected a name for the element and '->', as in %s",
			    f->call);
		return NULL;
	}
	if (p->item_count == EXPR_ITEMS_MAX) {
		lexer_fault(&p->lexer, p->lexer.from, "nested deeper than %d", EXPR_ITEMS_MAX);
		return NULL;
	}
	p->items[p->item_count++] = name;
	e = choice(p);
	p->item_count--;
	return e;
}

static const struct expr *call(struct parser *p, struct str name, size_t at)
{
	int index = name_function(p, name, at);
	const struct expr_function *f = index < 0 ? NULL : expr_function((unsigned)index);
	struct parts parts = {.count = 0};
	struct expr *e;

	while (f && !p->lexer.err && p->lexer.word != ')') {
		add_part(p, &parts, argument(p, f, parts.count));
		if (!take(p, ','))
			break;
	}
	if (!f)
		return NULL;
	need(p, ')', "behind the arguments");
	if (parts.count < f->least || parts.count > f->most)
		lexer_fault(&p->lexer, at, "it is called as %s", f->call);
	if (f->kind == FUNCTION_DRAWS && !p->names->draws)
		lexer_fault(&p->lexer, at, "nothing can be drawn here: %s gives another value each time", f->name);
	e = with_parts(p, NODE_CALL, &parts);
	if (!e)
		return NULL;
	e->index = (unsigned)index;
	e->sign = (int)p->item_count;
	return folded(p, e, at);
}

/* ---- operands ---- */

static const struct expr *word(struct parser *p, struct str name, size_t at)
{
	if (str_eqz(name, "true") || str_eqz(name, "false"))
		return constant(p, value_bool(name.p[0] == 't'));
	if (str_eqz(name, "null"))
		return constant(p, (struct value){0});
	return name_node(p, name, at);
}

static const struct expr *in_brackets(struct parser *p)
{
	const struct expr *e = choice(p);

	need(p, ')', "to close the bracket");
	return e;
}

static const struct expr *primary(struct parser *p)
{
	struct lexer was = p->lexer;

	lexer_next(&p->lexer);
	switch (was.word) {
	case WORD_NUMBER:
		return constant(p, value_number(was.number));
	case WORD_TEXT:
		if (!str_is_utf8(was.meant))
			lexer_fault(&p->lexer, was.from, "this text is not UTF-8");
		return constant(p, value_text(was.meant, true));
	case WORD_NAME:
		return take(p, '(') ? call(p, was.meant, was.from) : word(p, was.meant, was.from);
	case '(':
		return in_brackets(p);
	case '[':
		return list(p);
	case '{':
		return record(p);
	default:
		lexer_fault(&p->lexer, was.from,
			    was.word == WORD_END ? "a value is missing at the end" : "expected a value");
		return NULL;
	}
}

static const struct expr *member(struct parser *p, const struct expr *of)
{
	struct expr *e = new_node(p, NODE_MEMBER, 1);

	if (p->lexer.word != WORD_NAME)
		lexer_fault(&p->lexer, p->lexer.from, "expected a name behind '.'");
	if (!e)
		return NULL;
	e->of[0] = of;
	e->name = p->lexer.meant;
	lexer_next(&p->lexer);
	return e;
}

static const struct expr *element(struct parser *p, const struct expr *of)
{
	struct expr *e = new_node(p, NODE_INDEX, 2);
	const struct expr *index = choice(p);

	need(p, ']', "behind the index");
	if (!e)
		return NULL;
	e->of[0] = of;
	e->of[1] = index;
	return e;
}

static const struct expr *operand(struct parser *p)
{
	const struct expr *e;

	e = primary(p);
	for (unsigned n = 0; !p->lexer.err && (p->lexer.word == '.' || p->lexer.word == '['); n++) {
		int sign = p->lexer.word;

		if (n == EXPR_DEPTH_MAX)
			lexer_fault(&p->lexer, p->lexer.from, "nested deeper than %d", EXPR_DEPTH_MAX);
		lexer_next(&p->lexer);
		e = sign == '.' ? member(p, e) : element(p, e);
	}
	return e;
}

static const struct expr *unary(struct parser *p)
{
	size_t at = p->lexer.from;
	const struct expr *of;
	struct expr *e;
	int sign = p->lexer.word;

	if (sign != '!' && sign != '-')
		return operand(p);
	if (++p->depth > EXPR_DEPTH_MAX)
		lexer_fault(&p->lexer, p->lexer.from, "nested deeper than %d", EXPR_DEPTH_MAX);
	lexer_next(&p->lexer);
	of = p->lexer.err ? NULL : unary(p);
	p->depth--;
	e = p->lexer.err ? NULL : new_node(p, sign == '!' ? NODE_NOT : NODE_NEGATE, 1);
	if (!e)
		return NULL;
	e->of[0] = of;
	return folded(p, e, at);
}

/* ---- operators ---- */

/* 0: this word is no operator between two. */
static unsigned strength(const struct lexer *l)
{
	switch (l->word) {
	case WORD_OR:
		return 1;
	case WORD_AND:
		return 2;
	case WORD_EQUAL:
	case WORD_UNEQUAL:
		return 3;
	case WORD_NAME:
		return str_eqz(l->meant, "in") ? 3 : 0;
	case '<':
	case '>':
	case WORD_AT_MOST:
	case WORD_AT_LEAST:
		return 4;
	case '+':
	case '-':
		return 5;
	case '*':
	case '/':
	case '%':
		return 6;
	default:
		return 0;
	}
}

static struct expr *between(struct parser *p, int sign, const struct expr *left, const struct expr *right)
{
	enum node kind = sign == WORD_AND ? NODE_AND : sign == WORD_OR ? NODE_OR : NODE_BINARY;
	struct expr *e = p->lexer.err ? NULL : new_node(p, kind, 2);

	if (!e)
		return NULL;
	e->sign = sign;
	e->of[0] = left;
	e->of[1] = right;
	return e;
}

/* Operators at least as strong as `weakest`, from left to right. Chains are as deep in the tree as they are long. */
static const struct expr *binary(struct parser *p, unsigned weakest)
{
	const struct expr *left = unary(p);

	for (unsigned n = 0; !p->lexer.err && strength(&p->lexer) >= weakest; n++) {
		unsigned strong = strength(&p->lexer);
		size_t at = p->lexer.from;
		int sign = p->lexer.word;
		const struct expr *right;

		if (n == 4 * EXPR_DEPTH_MAX)
			lexer_fault(&p->lexer, at, "more than %d operators in a row", 4 * EXPR_DEPTH_MAX);
		lexer_next(&p->lexer);
		right = p->lexer.err ? NULL : binary(p, strong + 1);
		left = folded(p, between(p, sign, left, right), at);
	}
	return left;
}

/* Brackets of all kinds nest through here. */
static const struct expr *choice(struct parser *p)
{
	const struct expr *which, *one, *other;
	struct expr *e;

	if (++p->depth > EXPR_DEPTH_MAX)
		lexer_fault(&p->lexer, p->lexer.from, "nested deeper than %d", EXPR_DEPTH_MAX);
	which = p->lexer.err ? NULL : binary(p, 1);
	if (take(p, '?')) {
		one = choice(p);
		need(p, ':', "between the two values of '?'");
		other = p->lexer.err ? NULL : choice(p);
		e = p->lexer.err ? NULL : new_node(p, NODE_EITHER, 3);
		if (e) {
			e->of[0] = which;
			e->of[1] = one;
			e->of[2] = other;
		}
		which = e;
	}
	p->depth--;
	return p->lexer.err ? NULL : which;
}

/* ---- whole expressions ---- */

static void parser_begin(struct parser *p, struct str text, size_t at, const struct expr_names *names,
			 struct arena *a, struct problem *problem)
{
	*p = (struct parser){
		.lexer = {.text = text, .at = at, .arena = a, .problem = problem}, .names = names, .arena = a};
	if (names->item.n)
		p->items[p->item_count++] = names->item;
	if (text.n > EXPR_TEXT_MAX)
		lexer_fault(&p->lexer, at, "an expression has at most %d characters", EXPR_TEXT_MAX);
	lexer_next(&p->lexer);
}

enum err expr_compile(struct str text, const struct expr_names *names, struct arena *a, const struct expr **out,
		      struct problem *problem)
{
	struct parser p;

	parser_begin(&p, text, 0, names, a, problem);
	*out = p.lexer.err ? NULL : choice(&p);
	if (!p.lexer.err && p.lexer.word != WORD_END)
		lexer_fault(&p.lexer, p.lexer.from, "an operator or the end is expected here");
	return p.lexer.err;
}

enum err expr_compile_part(struct str text, size_t *at, const struct expr_names *names, struct arena *a,
			   const struct expr **out, struct problem *problem)
{
	struct parser p;

	parser_begin(&p, text, *at, names, a, problem);
	*out = p.lexer.err ? NULL : choice(&p);
	if (!p.lexer.err && (p.lexer.word != '}' || p.lexer.from + 1 >= text.n || text.p[p.lexer.from + 1] != '}'))
		lexer_fault(&p.lexer, p.lexer.from, "an operator or \"}}\" is expected here");
	*at = p.lexer.from;
	return p.lexer.err;
}
