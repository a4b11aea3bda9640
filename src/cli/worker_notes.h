/*
 * What a running step says on its way to the server: lines of its log, and what its model says, in order and gathered,
 * so that many small pieces are one call. Nothing is lost while the server is away; what was on its way when it went
 * may be told twice. The step is settled when all is told.
 */
#ifndef TENFOLD_CLI_WORKER_NOTES_H
#define TENFOLD_CLI_WORKER_NOTES_H

#include "cli/backoff.h"
#include "cli/client.h"

#include "base/vec.h"

struct job;

struct note_span {
	enum note_kind kind;
	size_t bytes;
};

/* All zero: none. */
struct notes {
	struct buf text; /* of all that are not taken yet, one after the other */
	VEC(struct note_span) spans;
	size_t sent; /* of the spans: they are in the call on its way */
	int64_t due_ms;
	struct backoff backoff;
	struct request request; /* easy NULL until there is something */
	bool unwanted;          /* the server said so: no more are sent */
	int lines;              /* of a command, so far */
	struct buf line[2];     /* of its two outputs, unfinished */
};

void notes_add(struct notes *n, enum note_kind kind, struct str text, int64_t now_ms);
/* What a command writes: each line is one of the log, until there are too many. */
void notes_add_output(struct notes *n, bool is_error, struct str bytes, int64_t now_ms);
bool notes_are_left(const struct notes *n);
void notes_free(struct notes *n);

/* On the loop: begins the call when one is due; when that is. The job's step has the notes. */
void notes_begin(struct job *j);
int64_t notes_next_ms(const struct notes *n); /* INT64_MAX: not before something happens */

#endif
