/*
 * Expressions of a scenario: compiled once, evaluated very often.
 *
 *   ?:   || &&   == != in   < <= > >=   + -   * / %   ! -   x.member  x[index]  f(a, b)  [a, b]  {name: a}
 *
 * Compiling finds every fault that does not depend on values: unknown names (with the one that was probably meant),
 * numbers of arguments, 1/0. What depends on them fails when evaluated, which is sticky in the environment: a number
 * is always a number, never infinite or NaN. Nothing allocates but in the environment's memory.
 *
 * null is what a record has not: null.x and null[0] are null, it equals only itself, and computing with it fails.
 * true counts as 1, false as 0. Random numbers are drawn from left to right, and only by what is evaluated.
 */
#ifndef TENFOLD_SIM_EXPR_H
#define TENFOLD_SIM_EXPR_H

#include "base/arena.h"
#include "base/problem.h"
#include "sim/draws.h"
#include "sim/value.h"

enum { EXPR_TEXT_MAX = 8192, EXPR_DEPTH_MAX = 64, EXPR_ITEMS_MAX = 8, EXPR_ARGUMENTS_MAX = 32 };
/* Steps of one evaluation: what goes through long lists in lists ends with a failure. */
enum { EXPR_BUDGET = 1000000 };

enum fact {
#define FACT(NAME, name, doc) FACT_##NAME,
#include "sim/facts.def"
#undef FACT
	FACT_ATTRIBUTE, /* agent.NAME, by its index */
	FACT_COUNT = FACT_ATTRIBUTE
};
#define FACT_BIT(f) (1u << (f))

/* Names that an expression may use where it stands. */
struct expr_names {
	const struct str *parameters, *variables, *attributes, *tables;
	unsigned parameter_count, variable_count, attribute_count, table_count;
	struct str item; /* the loop's; empty: there is none */
	unsigned facts;  /* FACT_BIT of each */
	bool draws;      /* random numbers may be drawn */
};

struct expr;

/* `text` must live as long as the arena. ERR_INVALID says what is wrong, and at which character. */
enum err expr_compile(struct str text, const struct expr_names *names, struct arena *a, const struct expr **out,
		      struct problem *p);
/* One that stands in a text, from *at up to "}}", where *at is then. */
enum err expr_compile_part(struct str text, size_t *at, const struct expr_names *names, struct arena *a,
			   const struct expr **out, struct problem *p);
/* One that is always v, which must last as long as the arena. */
const struct expr *expr_constant(struct value v, struct arena *a);
/* concat() of these, at most EXPR_ARGUMENTS_MAX. */
const struct expr *expr_concat(const struct expr *const *of, unsigned count, struct arena *a);
const struct value *expr_is_constant(const struct expr *e); /* NULL: it is not */

/* A name that can be given to a parameter, variable, attribute, table or loop item: letters, digits and '_', beginning
 * with a letter. ERR_INVALID also for names that mean something already. */
enum err expr_check_name(struct str name, struct problem *p);

struct expr_env {
	const double *parameters;
	const struct value *variables, *tables;
	struct value items[EXPR_ITEMS_MAX]; /* the loop's, then those of functions */
	struct draws *draws;
	struct memory *memory; /* for what is made; results may point into it */
	struct buf *text;      /* room for text that is being made */
	struct value (*fact)(void *ctx, enum fact f, unsigned index);
	void *ctx;
	uint32_t budget;
	bool failed;
	char failure[128]; /* why, for people */
};

/* null after a failure. */
struct value expr_value(const struct expr *e, struct expr_env *env);
double expr_number(const struct expr *e, struct expr_env *env); /* 0 after a failure */
bool expr_truth(const struct expr *e, struct expr_env *env);

/* The functions, for the page of reference. NULL past the last. */
struct expr_function {
	const char *name, *call, *doc;
	unsigned least, most;
	enum { FUNCTION_PURE, FUNCTION_DRAWS, FUNCTION_EACH } kind;
};
const struct expr_function *expr_function(unsigned i);

#endif
