/*
 * Who takes part: agents in columns, so that a million of them fit in a few dozen bytes each.
 *
 * A population has the attributes that its scenario declares, in that order, and an id for each agent, which is text.
 * It is made from the declared distributions, or read from CSV or JSONL, or of the agents of a directory, by their ids;
 * whatever a file does not say is made too. Generated ids are "agent_001" and up, with as many digits as the last one
 * needs.
 *
 * An agent's attributes depend on seed, its number and the scenario alone, each on its own stream of draws: so the same
 * seed makes the same agents, whoever else is there. Immutable once it is made; any thread may read.
 */
#ifndef TENFOLD_SIM_POPULATION_H
#define TENFOLD_SIM_POPULATION_H

#include "base/problem.h"
#include "sim/value.h"

enum {
	POPULATION_AGENTS_MAX = 4000000,
	POPULATION_ATTRIBUTES_MAX = 64,
	POPULATION_WORD_MAX = 255,  /* words of ATTRIBUTE_WORD */
	POPULATION_WORDS_MAX = 64,  /* of ATTRIBUTE_WORDS */
	POPULATION_ID_MAX = 200,    /* bytes */
	POPULATION_TEXT_MAX = 8192, /* bytes of a value */
	POPULATION_ROOM = 24,       /* bytes of an id that is made up */
};

enum attribute_kind {
	ATTRIBUTE_NUMBER, /* a double */
	ATTRIBUTE_BOOL,   /* a byte */
	ATTRIBUTE_WORD,   /* one of a few words: a byte */
	ATTRIBUTE_WORDS,  /* a set of a few words: a bit each */
	ATTRIBUTE_TEXT,   /* anything: four bytes, and the text */
};

struct attribute {
	struct str name, doc;
	enum attribute_kind kind;
	const struct str *words; /* of ATTRIBUTE_WORD and _WORDS */
	uint32_t word_count;
};

struct population;

uint32_t population_count(const struct population *p);
uint64_t population_bytes(const struct population *p); /* for tests: memory held */
unsigned population_attribute_count(const struct population *p);
const struct attribute *population_attribute(const struct population *p, unsigned i);
int population_find(const struct population *p, struct str name); /* -1: no such attribute */

struct str population_id(const struct population *p, uint32_t agent,
			 char room[POPULATION_ROOM]); /* made up ids are written to room */
/* Texts of the value are of the population; a list is written to `room` of POPULATION_WORDS_MAX values. */
struct value population_value(const struct population *p, uint32_t agent, unsigned attribute, struct value *room);

void population_free(struct population **p);

/* ---- making one ---- */

struct scenario;
/* ERR_INVALID when correlations contradict each other, or an expression fails; ERR_TOO_LARGE. */
enum err population_generate(const struct scenario *s, uint64_t seed, uint32_t count, struct population **out,
			     struct problem *p);
/* Of agents with these ids, which are copied, and each of which is there once. */
enum err population_of_ids(const struct scenario *s, uint64_t seed, const struct str *ids, uint32_t count,
			   struct population **out, struct problem *p);

/* CSV (RFC 4180): the first record names columns, sets have ';' between their words. JSONL: an object a line. The
 * column "id" holds ids; columns that the scenario does not declare are left out, and named in `left_out`, one a line.
 * What is empty, null or not there is made. ERR_INVALID names line and column of as many bad
 * records as a problem has room for. */
enum population_format { POPULATION_CSV, POPULATION_JSONL };
enum population_format population_format_of(struct str path); /* JSONL when it ends in .jsonl */
enum err population_read(const struct scenario *s, uint64_t seed, struct str text, enum population_format format,
			 struct population **out, struct buf *left_out, struct problem *p);
/* `count` agents from `first` on; before the first of all goes what names the columns. What is written is read as the
 * same, but for words with ';' in sets in CSV. */
void population_write(const struct population *p, enum population_format format, uint32_t first, uint32_t count,
		      struct buf *b);

#endif
