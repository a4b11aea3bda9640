/* What the two files of models share: worker_model.c (settings, results, the stand-in), worker_endpoint.c (HTTP). */
#ifndef TENFOLD_CLI_WORKER_MODEL_PRIV_H
#define TENFOLD_CLI_WORKER_MODEL_PRIV_H

#include "cli/sse.h"
#include "cli/worker_model.h"
#include "cli/worker_step.h"
#include "models/answer.h"
#include "models/stand_in.h"

struct worker_models {
	bool pretend;
	struct str url, key; /* of the endpoint */
	struct str provider; /* what costs name */
	struct str model;    /* for members that name none; empty: there is none */
	int64_t silence_ms, timeout_ms;
	int64_t max_tokens;     /* 0: what the endpoint thinks right */
	struct backoff backoff; /* of the endpoint: claims rest */
};

/* A job's. In its arena. */
struct model_run {
	struct model_prompt prompt;
	struct str model;
	struct chat_answer answer;
	bool was_answered; /* somebody may have to be paid */
	/* an endpoint */
	struct request call; /* not one of the server's: it has no client */
	struct sse sse;
	bool streams;
	size_t bytes;
	int64_t heard_ms;
	struct problem trouble; /* err 0: none so far */
	/* the stand-in */
	struct str left; /* what it has not said yet */
	int64_t next_ms;
};

/* ---- worker_model.c: how it ends ---- */

void model_answered(struct job *j);
void model_failed(struct job *j, bool retry, const struct problem *p);
void model_not_to_blame(struct job *j, const struct problem *p); /* the step goes back */
/* The settings of this worker are to blame: the step goes back, and the worker ends. Another would fare no better. */
void model_settings_are_wrong(struct job *j, const struct problem *p);

/* ---- worker_endpoint.c ---- */

void endpoint_ask(struct job *j);
void endpoint_watch(struct job *j); /* ends a call that is silent for too long */
int64_t endpoint_next_ms(const struct job *j);
void endpoint_cut(struct job *j);
void endpoint_free(struct model_run *run);

#endif
