/*
 * Steps of kind retrieve: passages of files, from the folders that the worker was given, or agents of the directory. No
 * step can name a file: only what is below those folders is ever read, when the worker starts.
 */
#ifndef TENFOLD_CLI_WORKER_SEARCH_H
#define TENFOLD_CLI_WORKER_SEARCH_H

#include "cli/worker.h"

struct worker_searches;

/* By the worker's flags; *out NULL: nothing is looked for here. ERR_USAGE naming a folder that cannot be read. */
enum err searches_open(struct worker *w, struct worker_searches **out);
void searches_close(struct worker_searches **s);

/* The step of the job, which has its brief; it ends by itself, or is set aside when it looks in documents and there are
 * none here. */
void search_begin(struct job *j);
void search_calls_begin(struct job *j);
int64_t search_next_ms(const struct job *j);
void search_cut(struct job *j);
void search_free(struct job *j);

#endif
