/*
 * Steps that models carry out: an OpenAI-compatible endpoint is asked over HTTP, piece by piece, or a stand-in that
 * answers by itself. What is said goes to the server while it is said (worker_notes.h).
 *
 * However an endpoint fails, the step gets a sentence that says so and is tried again as often as its attempts allow;
 * for what it is not to blame (429) it goes back without a failure. An endpoint that fails rests the worker's claims.
 */
#ifndef TENFOLD_CLI_WORKER_MODEL_H
#define TENFOLD_CLI_WORKER_MODEL_H

#include "cli/worker.h"

struct worker_models;

/* By the worker's flags; *out NULL: no model is asked. ERR_USAGE. */
enum err models_open(struct worker *w, struct worker_models **out);
void models_close(struct worker_models **m);
bool models_pretend(const struct worker_models *m); /* it is the stand-in */

/* The step of the job, which has its brief; it ends by itself. */
void model_ask(struct job *j);
void model_calls_begin(struct job *j);
int64_t model_next_ms(const struct job *j);
void model_cut(struct job *j);
void model_free(struct job *j);

#endif
