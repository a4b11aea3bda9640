/*
 * Agents without a population: what journeys ask of one is answered from a row of JSON values, one for each attribute
 * that the scenario declares. To be included by one file of a test program, which must not use sim/population.c.
 */
#ifndef TENFOLD_TESTS_PEOPLE_H
#define TENFOLD_TESTS_PEOPLE_H

#include "sim/population.h"

#include <stdio.h>
#include <string.h>

struct population {
	const char *names[POPULATION_ATTRIBUTES_MAX];
	struct value values[POPULATION_ATTRIBUTES_MAX];
};

int population_find(const struct population *p, struct str name)
{
	for (int i = 0; i < POPULATION_ATTRIBUTES_MAX && p->names[i]; i++)
		if (str_eqz(name, p->names[i]))
			return i;
	return -1;
}

struct str population_id(const struct population *p, uint32_t agent, char room[POPULATION_ROOM])
{
	(void)p;
	snprintf(room, POPULATION_ROOM, "agent_%03u", agent + 1);
	return str_of(room);
}

struct value population_value(const struct population *p, uint32_t agent, unsigned attribute, struct value *room)
{
	(void)agent, (void)room;
	return p->values[attribute];
}

#endif
