/*
 * What the formats of agents share: reading with bounds, building an agent, handing it out.
 *
 * A format is one function that reads im->input to its end. It makes each entry in im->arena, which agent_begin()
 * empties, and ends it with agent_give() or agent_refuse(). Once im->stopped is true nothing more is wanted.
 */
#ifndef TENFOLD_IMPORT_AGENTS_PRIV_H
#define TENFOLD_IMPORT_AGENTS_PRIV_H

#include "base/map.h"
#include "import/agents.h"

enum { INPUT_CHUNK = 65536 };

struct agent_input {
	import_read_fn *read;
	void *ctx;
	char *bytes; /* INPUT_CHUNK */
	size_t at, end;
	size_t line; /* of the byte that comes next, from 1 */
};

struct agent_import {
	struct agent_import_options options;
	struct agent_sink sink;
	struct agent_input input;
	struct buf entry;    /* its text; failed when it is over IMPORT_ENTRY_MAX */
	struct buf json;     /* the agent as text */
	struct arena *arena; /* of one entry */
	struct arena *kept;  /* of the whole import */
	struct map handles;  /* those handed out: struct seen, by the handle's hash */
	struct map details;  /* long descriptions for lists without: struct detail, by their key's hash */
	bool details_only;
	int64_t repeated;
	bool stopped;
};

/* ---- reading ---- */

int input_peek(struct agent_input *in); /* the next byte; -1 at the end */
int input_take(struct agent_input *in);
void input_skip_mark(struct agent_input *in); /* a byte order mark, which some editors write */
/* Appends the next line with its line feed; false after the last. */
bool input_line(struct agent_input *in, struct buf *to);

/* ---- an entry ---- */

void agent_begin(struct agent_import *im);

/* Where an agent came from, for its handle when it has none: see import_handle(). */
struct agent_origin {
	size_t line;
	struct str name, identity;
	bool marked;
};

void agent_give(struct agent_import *im, const struct agent_origin *origin, struct agent_new *agent);
void agent_refuse(struct agent_import *im, size_t line, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
/* What is wrong with the text of the entry that begins in that line. */
void agent_refuse_problem(struct agent_import *im, size_t line, const struct problem *p);
void agent_remark(struct agent_import *im, size_t line, struct str what);
/* False, and told, when the entry's text is over the limit. */
bool agent_entry_fits(struct agent_import *im, size_t line);

/* A text field from a text of others: trimmed, cut to what the field takes, left out when nothing is left. */
void agent_put(struct agent_new *agent, uint32_t field, struct str text);
/* The same for a URL: one that the server would not take is left out. */
void agent_put_url(struct agent_new *agent, uint32_t field, struct str text);
/* One more tag or capability, unless it is there already or there are too many. */
void agent_add_tag(struct agent_import *im, struct agent_new *agent, struct str tag);
void agent_add_capability(struct agent_import *im, struct agent_new *agent, struct str slug);
void agent_add_protocol(struct agent_import *im, struct agent_new *agent, enum agent_protocol protocol);

/* ---- JSON ---- */

/* The values of a file: the elements of its array, or of the array that is the member `list` of its object, or the
 * object itself; a file may hold several of these. Each is handed to take() with its line; it has been cut out by its
 * brackets, and not checked. */
typedef void agent_value_fn(struct agent_import *im, size_t line, struct str json);
void agent_values(struct agent_import *im, const char *list, agent_value_fn *take);

/* ---- formats ---- */

typedef void agent_format_fn(struct agent_import *im);
agent_format_fn agents_read_mcp, agents_read_debian, agents_read_cards, agents_read_jsonl, agents_read_csv;

#endif
