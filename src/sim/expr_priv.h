/*
 * What the files of expressions share.
 *
 *   expr_lex.c        words of the text
 *   expr_parse.c      the grammar, to a tree of nodes
 *   expr_names.c      what names mean, and what was probably meant
 *   expr_eval.c       the tree's value
 *   expr_functions.c  functions.def, expr_each.c those that go through lists, expr_draws.c those that draw
 */
#ifndef TENFOLD_SIM_EXPR_PRIV_H
#define TENFOLD_SIM_EXPR_PRIV_H

#include "sim/expr.h"

/* ---- words ---- */

/* A sign of one character is that character. */
enum word {
	WORD_END = 0,
	WORD_NUMBER = 256,
	WORD_TEXT,
	WORD_NAME,
	WORD_OR,
	WORD_AND,
	WORD_EQUAL,
	WORD_UNEQUAL,
	WORD_AT_MOST,
	WORD_AT_LEAST,
	WORD_ARROW
};

struct lexer {
	struct str text;
	size_t at; /* behind the word */
	struct arena *arena;
	int word;
	size_t from; /* where the word begins */
	double number;
	struct str meant; /* of a name its characters, of a text what it means */
	struct problem *problem;
	enum err err;
};

void lexer_next(struct lexer *l); /* sets err when there is no word */
void lexer_fault(struct lexer *l, size_t at, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* ---- nodes ---- */

enum node {
	NODE_CONSTANT,
	NODE_PARAMETER,
	NODE_VARIABLE,
	NODE_TABLE,
	NODE_ITEM,
	NODE_FACT, /* sign is the fact, index that of an attribute */
	NODE_MEMBER,
	NODE_INDEX,
	NODE_NOT,
	NODE_NEGATE,
	NODE_BINARY, /* sign is the word of the operator */
	NODE_AND,
	NODE_OR,
	NODE_EITHER, /* ?: */
	NODE_CALL,   /* index is the function's */
	NODE_LIST,
	NODE_RECORD, /* names are constants: name, value, name, value */
};

struct expr {
	enum node kind;
	int sign;
	unsigned index, count;
	struct str name; /* of a member */
	struct value value;
	const struct expr *of[]; /* count of them */
};

enum function {
#define FUNCTION(name, kind, least, most, call, doc) FUNCTION_##name,
#include "sim/functions.def"
#undef FUNCTION
	FUNCTION_COUNT
};

/* ---- names ---- */

struct parser {
	struct lexer lexer;
	const struct expr_names *names;
	struct arena *arena;
	unsigned depth;
	struct str items[EXPR_ITEMS_MAX];
	unsigned item_count;
};

/* The node of a name that is no function; NULL and a fault when there is none such. The lexer is behind the name. */
const struct expr *name_node(struct parser *p, struct str name, size_t at);
int name_function(struct parser *p, struct str name, size_t at); /* -1 and a fault */
struct expr *new_node(struct parser *p, enum node kind, unsigned count);

/* ---- values ---- */

struct value expr_eval(const struct expr *e, struct expr_env *env);
struct value expr_fail(struct expr_env *env, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* A failure when it is none. */
struct value expr_finite(struct expr_env *env, double v, const char *what);
/* A failure, and 0, when it is none; `what` names who wants it. */
double expr_to_number(struct expr_env *env, const struct value *v, const char *what);
struct value expr_list(struct expr_env *env, const struct value *items, uint32_t count);
/* Room for so many values; NULL after a failure. */
struct value *expr_room(struct expr_env *env, size_t count);
bool expr_contains(const struct value *whole, const struct value *part);

struct value expr_call(const struct expr *e, struct expr_env *env);
struct value expr_call_each(const struct expr *e, struct expr_env *env);
struct value expr_call_draws(enum function f, const struct value *args, struct expr_env *env);

#endif
