/*
 * Files of others as agents, one entry at a time: memory is bounded however long a file is.
 *
 * One struct agent_import takes any number of files of one format. Each entry becomes what POST /v1/agents takes and
 * is handed out; what is wrong with one entry is told by its line and never keeps the rest out. The same files give
 * the same agents, to the byte, handles included (import_handle): so another run finds the agents of the first.
 * Of entries that are the same thing (a package of two lists) the first counts.
 */
#ifndef TENFOLD_IMPORT_AGENTS_H
#define TENFOLD_IMPORT_AGENTS_H

#include "directory/handle.h"
#include "spec/types.h"

enum { IMPORT_ENTRY_MAX = 1 << 20 }; /* bytes of one entry in its file */

struct agent_import;

/* Up to n bytes of the file into `to`; 0 at its end. */
typedef size_t import_read_fn(void *ctx, char *to, size_t n);

/* What is given is valid during the call. Each returns false to end the import. */
struct agent_sink {
	/* `json` is the agent as text. */
	bool (*agent)(void *ctx, size_t line, const struct agent_new *agent, struct str json);
	/* refused: the entry was left out; else it is in, and this is a remark. */
	bool (*told)(void *ctx, size_t line, bool refused, struct str what);
	void *ctx;
};

struct agent_import_options {
	enum agent_format format;
	bool says_visibility; /* then agents that do not say it themselves get it */
	enum visibility visibility;
	/* Slugs that the server knows: skills of these names become capabilities. */
	const struct str *capabilities;
	size_t capability_count;
};

/* The options' texts must live as long as the import. */
struct agent_import *agent_import_new(const struct agent_import_options *options, const struct agent_sink *sink);
void agent_import_destroy(struct agent_import **im);

/* One file, to its end or until the sink has enough. */
void agent_import_file(struct agent_import *im, import_read_fn *read, void *ctx);

/* For debian: takes only long descriptions out of a file, for lists read later that leave them out. */
void agent_import_details(struct agent_import *im, import_read_fn *read, void *ctx);

/* Entries that were left out because one before was the same thing, or a newer version of it. */
int64_t agent_import_repeated(const struct agent_import *im);

/* The handle of something that is called `name`: that in small letters, digits and '-'. When characters were lost, it
 * would be too short or too long, is reserved, or `marked` is asked for, a part of it and a hash of `identity`: what
 * tells the thing from all others of its format. */
void import_handle(struct str name, bool marked, struct str identity, struct handle_text *out);

#endif
