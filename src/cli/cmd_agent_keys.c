/*
 * agent register, transfer and key: what makes and changes the keys of an agent.
 *
 * The server is shown that the private half of a key is here: it gives a text, which is signed (a challenge).
 */
#include "cli/agent_key.h"
#include "cli/client.h"
#include "cli/print.h"

#include <string.h>

/* A challenge for the pair, signed. */
struct proof {
	int64_t challenge_id;
	struct str signature;
};

static enum err prove(struct cli *cli, struct client *client, const struct agent_key_place *place,
		      struct proof *out)
{
	struct agent_challenge_in in = {0};
	struct agent_challenge challenge;
	enum err e;

	PUT(&in, agent_challenge_in, public_key, place->file.public_key);
	e = client_call(client, ROUTE_agent_challenge, &in, cli->arena, &challenge, NULL, &cli->problem);
	if (e)
		return e;
	out->challenge_id = challenge.challenge_id;
	out->signature = agent_key_sign(cli, place, challenge.text);
	return OK;
}

static void report(struct cli *cli, const struct agent_key_place *place)
{
	const struct agent_registered_report r = {
		.handle = place->file.handle,
		.id = place->file.id,
		.public_key = place->file.public_key,
		.key_file = str_of(place->path),
	};

	print_answer(cli, &type_agent_registered_report, &r, "");
}

/* ---- register ---- */

/* The answer did not come: the agent may be there, and its key must not be lost. */
static bool may_be_there(enum err e)
{
	return e == ERR_UNREACHABLE || e == ERR_OUTCOME_UNKNOWN || e == ERR_INTERNAL;
}

static enum err add_agent(struct cli *cli, struct client *client, struct agent_new *in,
			  struct agent_key_place *place)
{
	struct agent_registered out;
	struct proof proof;
	enum err e = prove(cli, client, place, &proof);

	if (e) {
		agent_key_remove(place);
		return e;
	}
	PUT(in, agent_new, public_key, place->file.public_key);
	PUT(in, agent_new, challenge_id, proof.challenge_id);
	PUT(in, agent_new, signature, proof.signature);
	e = client_call(client, ROUTE_agent_add, in, cli->arena, &out, NULL, &cli->problem);
	if (e && !may_be_there(e))
		agent_key_remove(place);
	if (e)
		return e;
	PUT(&place->file, agent_key_file, id, out.agent.id);
	PUT(&place->file, agent_key_file, key, arena_str(cli->arena, out.key.secret));
	return agent_key_write(cli, place, false);
}

enum err cmd_agent_register(struct cli *cli, const void *args)
{
	struct agent_new in = *(const struct agent_new *)args;
	struct agent_key_place place;
	struct client *client;
	enum err e = OK;

	if (HAS(&in, agent_new, public_key) || HAS(&in, agent_new, challenge_id) || HAS(&in, agent_new, signature))
		return problem_set(&cli->problem, ERR_USAGE,
				   "the key pair is made here; one that is elsewhere signs a challenge there, and "
				   "its agent is "
				   "added with 'tenfold agent add'");
	e = agent_key_make(cli, in.handle, &place);
	if (!e)
		e = cli_connect(cli, &client);
	if (e)
		return e;
	e = agent_key_write(cli, &place, true);
	if (!e)
		e = add_agent(cli, client, &in, &place);
	if (!e)
		report(cli, &place);
	client_destroy(&client);
	return e;
}

/* ---- transfer ---- */

static enum err find_agent(struct cli *cli, struct client *client, struct str ref, struct agent *out)
{
	struct agent_ref in = {0};

	PUT(&in, agent_ref, id, ref);
	return client_call(client, ROUTE_agent_show, &in, cli->arena, out, NULL, &cli->problem);
}

static enum err take_over(struct cli *cli, struct client *client, struct agent_key_place *place)
{
	struct agent_transfer in = {0};
	struct agent_key out;
	struct proof proof;
	enum err e = prove(cli, client, place, &proof);

	if (e)
		return e;
	PUT(&in, agent_transfer, id, place->file.handle);
	PUT(&in, agent_transfer, public_key, place->file.public_key);
	PUT(&in, agent_transfer, challenge_id, proof.challenge_id);
	PUT(&in, agent_transfer, signature, proof.signature);
	e = client_call(client, ROUTE_agent_transfer, &in, cli->arena, &out, NULL, &cli->problem);
	if (!e)
		PUT(&place->file, agent_key_file, key, arena_str(cli->arena, out.secret));
	return e;
}

/* The new pair stands in a file of its own until the server has it: until then the old one is the agent's. */
static enum err transfer(struct cli *cli, struct client *client, struct str ref)
{
	struct agent_key_place place;
	struct agent agent;
	const char *final;
	enum err e = find_agent(cli, client, ref, &agent);

	if (!e)
		e = agent_key_make(cli, arena_str(cli->arena, agent.handle), &place);
	if (e)
		return e;
	PUT(&place.file, agent_key_file, id, agent.id);
	final = place.path;
	place.path = arena_fmt(cli->arena, "%s.new", final).p;
	e = agent_key_write(cli, &place, false);
	if (!e)
		e = take_over(cli, client, &place);
	if (e && !may_be_there(e))
		agent_key_remove(&place);
	if (e)
		return e;
	agent_key_remove(&place);
	place.path = final;
	e = agent_key_write(cli, &place, false);
	if (!e)
		report(cli, &place);
	return e;
}

enum err cmd_agent_transfer(struct cli *cli, const void *args)
{
	const struct agent_transfer_args *a = args;
	struct client *client;
	enum err e = cli_connect(cli, &client);

	if (e)
		return e;
	e = transfer(cli, client, a->id);
	client_destroy(&client);
	return e;
}

/* ---- key ---- */

/* Into the file, where there is one; else it is shown, this once. */
static enum err keep_key(struct cli *cli, struct str handle, const struct agent_key *key)
{
	struct agent_key_place place;
	struct problem none = cli->problem;

	if (agent_key_read(cli, handle, &place) != OK) {
		cli->problem = none;
		print_answer(cli, &type_agent_key, key, "");
		return OK;
	}
	PUT(&place.file, agent_key_file, key, key->secret);
	if (agent_key_write(cli, &place, false) != OK)
		return cli->problem.err;
	report(cli, &place);
	return OK;
}

enum err cmd_agent_key(struct cli *cli, const void *args)
{
	const struct agent_key_new *in = args;
	struct agent_key out;
	struct client *client;
	enum err e = agent_key_connect(cli, in->id, &client);

	if (e)
		return e;
	e = client_call(client, ROUTE_agent_key_add, in, cli->arena, &out, NULL, &cli->problem);
	if (!e)
		e = keep_key(cli, in->id, &out);
	client_destroy(&client);
	return e;
}
