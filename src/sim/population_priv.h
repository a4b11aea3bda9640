/*
 * How a population is filled. A value that was not set is absent, and is null when it is asked for.
 */
#ifndef TENFOLD_SIM_POPULATION_PRIV_H
#define TENFOLD_SIM_POPULATION_PRIV_H

#include "base/map.h"
#include "sim/population.h"

/* The attributes are copied, their names, docs and words too. */
struct population *population_new(const struct attribute *attributes, unsigned attribute_count, uint32_t count);

/* Each of the attribute's kind. Those of text are copied, and false when there is more text than fits. */
void population_set_number(struct population *p, uint32_t agent, unsigned attribute, double v); /* finite */
void population_set_bool(struct population *p, uint32_t agent, unsigned attribute, bool v);
void population_set_word(struct population *p, uint32_t agent, unsigned attribute, unsigned word);
void population_set_words(struct population *p, uint32_t agent, unsigned attribute, uint64_t set);
bool population_set_text(struct population *p, uint32_t agent, unsigned attribute, struct str text);
bool population_set_id(struct population *p, uint32_t agent, struct str id);
bool population_is_absent(const struct population *p, uint32_t agent, unsigned attribute);

/* By its text; -1: no such word. */
int attribute_word(const struct attribute *a, struct str word);

/* Makes whatever is absent. An empty set is absent unless its attribute, a bit in `empty_is_meant`, may be empty. */
enum err population_fill(const struct scenario *s, uint64_t seed, struct population *p, uint64_t empty_is_meant,
			 struct problem *problem);
/* With the scenario's attributes, all absent. */
struct population *population_empty(const struct scenario *s, uint32_t count);

/* Ids that were met, each with its agent. Text is compared, not its hash alone. */
struct id_set {
	struct map map;
};
/* Sets the agent's id. ERR_INVALID: it is none, or another agent's; `field` says where it came from. */
enum err population_take_id(struct population *p, struct id_set *met, uint32_t agent, struct str id,
			    const char *field, struct problem *problem);

#endif
