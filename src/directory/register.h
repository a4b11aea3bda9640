/*
 * Registration: agents come in, one or a thousand at a time, each accepted or refused on its own. Handles, capabilities
 * and what is there already are looked up for all together, and all rows are written together.
 */
#ifndef TENFOLD_DIRECTORY_REGISTER_H
#define TENFOLD_DIRECTORY_REGISTER_H

#include "directory/agent.h"

struct agent_entry {
	/* given */
	struct call *c;
	const struct agent_new *in;
	int64_t id; /* to have when it is new */
	/* what became of it */
	struct problem problem;    /* err: why it was refused; given when it was before */
	struct agent_full_row row; /* as it is now, capabilities only of a new one; id 0: of another tenant */
	bool existed, left, changed;
	bool was_public;
	/* in between */
	int64_t *capabilities;
	struct directory_agent was; /* existed */
};

/* At least one entry, of one call or of several that share a transaction. Answers what the store says; what an entry
 * does not fulfil is in its problem, and then nothing was written for it. The facts of new and changed ones are left
 * to the caller. */
enum err agents_register(enum on_existing on_existing, struct agent_entry *entries, size_t count);

/* Says that a handle is taken, and which one near it is free. ERR_ALREADY_EXISTS, or what the store says. */
enum err agent_handle_taken(struct db *db, struct str handle, struct problem *p);

#endif
