/*
 * Agents on their way to the server: gathered into batches of POST /v1/agents/batch, a few of which are under way at
 * a time. One thread uses it, which waits only where it says so.
 *
 * A batch that a server could not take now is sent again a few times. One whose answer was lost is sent again only
 * where doing so twice does no harm: not when handles that are taken are to be refused.
 */
#ifndef TENFOLD_CLI_AGENT_BATCHES_H
#define TENFOLD_CLI_AGENT_BATCHES_H

#include "cli/client.h"

struct batches;

struct batches_config {
	struct client *client;
	enum on_existing on_existing;
	/* What became of an agent; `file` is the pointer that came with it. */
	void (*result)(void *ctx, const char *file, size_t line, const struct agent_batch_result *result);
	void *ctx;
};

struct batches *batches_new(const struct batches_config *config);
void batches_destroy(struct batches **b);

/* Copies the agent, whose text has that many bytes. Sends a batch that is full, and waits while there are too many
 * under way. Once something went wrong for good, that is returned for ever. */
enum err batches_add(struct batches *b, const struct agent_new *agent, size_t bytes, const char *file, size_t line);

/* Sends what is left and waits for all answers. */
enum err batches_finish(struct batches *b, struct problem *p);

#endif
