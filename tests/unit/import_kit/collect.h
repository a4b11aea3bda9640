/*
 * For the tests and fuzzers of agents out of files: everything an import hands out, kept.
 */
#ifndef TENFOLD_TESTS_COLLECT_H
#define TENFOLD_TESTS_COLLECT_H

#include "base/vec.h"
#include "import/agents.h"

struct collected_agent {
	size_t line;
	struct agent_new agent;
	struct str json;
};

struct collected_line {
	size_t line;
	bool refused;
	struct str text;
};

struct collected {
	struct arena *arena;
	struct agent_import *import;
	VEC(struct collected_agent) agents;
	VEC(struct collected_line) told;
	size_t most; /* agents; then it has enough. 0: all */
};

void collect_begin(struct collected *c, const struct agent_import_options *options);
/* A file, read `chunk` bytes at a time. */
void collect_file(struct collected *c, struct str text, size_t chunk);
/* The same, for long descriptions. */
void collect_details(struct collected *c, struct str text);
void collect_end(struct collected *c);

#endif
