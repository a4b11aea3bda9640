/*
 * The keys of agents that were registered here: DATA/agents/HANDLE.key, readable by their owner alone.
 *
 * A file holds an ed25519 key pair, and the API key the agent calls with. It is there before the server knows the
 * pair, so that no agent is ever left whose key is lost, and is replaced as a whole.
 */
#ifndef TENFOLD_CLI_AGENT_KEY_H
#define TENFOLD_CLI_AGENT_KEY_H

#include "cli/cli.h"

struct agent_key_place {
	struct agent_key_file file;
	const char *path;
};

/* A new pair for the handle, in no file yet. Memory is of cli->arena. */
enum err agent_key_make(struct cli *cli, struct str handle, struct agent_key_place *out);

/* ERR_NOT_FOUND, saying how one is made, when there is no file for that handle. */
enum err agent_key_read(struct cli *cli, struct str handle, struct agent_key_place *out);

/* Writes the file. fresh: ERR_ALREADY_EXISTS when there is one; else it is replaced. */
enum err agent_key_write(struct cli *cli, const struct agent_key_place *place, bool fresh);
void agent_key_remove(const struct agent_key_place *place);

/* The signature of text, base64. */
struct str agent_key_sign(struct cli *cli, const struct agent_key_place *place, struct str text);

/* Talks to the server as the agent when its file is here and no other key was given; else as ever. */
enum err agent_key_connect(struct cli *cli, struct str handle, struct client **out);

#endif
