/*
 * A population in short: how each attribute is distributed, and which numbers go together.
 */
#ifndef TENFOLD_SIM_POPULATION_SURVEY_H
#define TENFOLD_SIM_POPULATION_SURVEY_H

#include "base/arena.h"
#include "sim/population.h"
#include "spec/types.h"

/* Texts are of the arena. Numbers are rounded to four digits. Of the pairs of numbers and truths, those are listed that
 * the scenario declares, and those whose correlation is 4 / √agents or more off 0, which of 15,000 pairs one has by
 * chance. Their margin is Fisher's: tanh(atanh r ± 1.96 / √(agents - 3)). */
void population_survey(const struct scenario *s, const struct population *p, struct arena *a,
		       struct sim_population_survey *out);

#endif
