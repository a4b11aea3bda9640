/*
 * What a command writes: its progress, and the end of the rest. Pure: bytes in, texts out.
 */
#ifndef TENFOLD_CLI_WORKER_OUTPUT_H
#define TENFOLD_CLI_WORKER_OUTPUT_H

#include "base/buf.h"

enum { OUTPUT_KEPT = 64 << 10, OUTPUT_ERRORS_KEPT = 4 << 10, OUTPUT_NOTE_MAX = 200 };

/* The last bytes of a text. */
struct tail {
	struct buf text;
	size_t max;
};

struct output {
	struct buf line;    /* of stdout, unfinished: it may become a line of progress */
	bool passing;       /* that line is none, its rest is output */
	struct tail all;    /* of both streams, as they came */
	struct tail errors; /* of stderr */
	struct tail plain;  /* of stdout alone, as much as was asked for */
	bool has_progress;  /* some was reported and not taken yet */
	int percent;
	struct buf note;
	bool may_ask;        /* lines of a question are taken */
	struct buf question; /* the last of them */
};

void output_init(struct output *o);
void output_free(struct output *o);

/* From now on the end of stdout is kept by itself: what agents say of their use. */
void output_keep_stdout(struct output *o, size_t max);
struct str output_stdout_kept(const struct output *o);
struct str output_stderr_kept(const struct output *o);

/* From now on lines "::ask Which branch?" of stdout become a question. */
void output_take_questions(struct output *o);

/* Lines "::progress 40 compiling" of stdout become progress; everything else is kept. A byte that is NUL, which no
 * text may hold, counts as one that is no UTF-8. */
void output_stdout(struct output *o, struct str bytes);
void output_stderr(struct output *o, struct str bytes);
void output_end(struct output *o); /* a last line without its end */

/* {"exit":0,"output":"…"}, with as much of the output as a result may hold. */
void output_result(const struct output *o, struct buf *json);

/* "exit status 3: last lines of stderr". wait_status as wait(2) gives it. */
void output_error(const struct output *o, int wait_status, struct buf *text);

#endif
