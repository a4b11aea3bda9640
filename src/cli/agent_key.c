/* See agent_key.h. */
#include "cli/agent_key.h"

#include "base/magic.h"
#include "cli/private_file.h"
#include "directory/handle.h"
#include "directory/proof.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { FILE_MAX = 64 << 10 };

/* Only what is a handle becomes part of a path. */
static enum err find_path(struct cli *cli, struct str handle, const char **path)
{
	struct str dir;
	enum err e = handle_check(handle, &cli->problem);

	if (!e)
		e = cli_data_dir(cli->globals.data, cli->arena, &dir, &cli->problem);
	if (!e)
		*path = arena_fmt(cli->arena, "%.*s/agents/%.*s.key", STRF(dir), STRF(handle)).p;
	return e;
}

enum err agent_key_make(struct cli *cli, struct str handle, struct agent_key_place *out)
{
	unsigned char public[crypto_sign_PUBLICKEYBYTES], pair[crypto_sign_SECRETKEYBYTES];
	enum err e = find_path(cli, handle, &out->path);

	if (e)
		return e;
	CHECK(sodium_init() >= 0);
	crypto_sign_keypair(public, pair);
	out->file = (struct agent_key_file){
		.handle = handle,
		.public_key = proof_text(cli->arena, (struct str){(const char *)public, sizeof(public)}),
		.private_key = proof_text(cli->arena, (struct str){(const char *)pair, crypto_sign_SEEDBYTES}),
	};
	sodium_memzero(pair, sizeof(pair));
	if (cli->globals.url.n)
		PUT(&out->file, agent_key_file, url, cli->globals.url);
	return OK;
}

enum err agent_key_read(struct cli *cli, struct str handle, struct agent_key_place *out)
{
	struct problem why = {0};
	struct str text;
	enum err e = find_path(cli, handle, &out->path);

	if (e)
		return e;
	if (access(out->path, F_OK) < 0)
		return problem_set(&cli->problem, ERR_NOT_FOUND,
				   "there is no %s; 'tenfold agent register' makes one with its agent", out->path);
	e = cli_read_file(str_of(out->path), FILE_MAX, cli->arena, &text, &cli->problem);
	if (!e && json_decode_answer(&type_agent_key_file, text, cli->arena, &out->file, &why) != OK)
		e = problem_set(&cli->problem, ERR_USAGE, "%s is no file of an agent's keys: %s", out->path,
				why.detail);
	return e;
}

/* ---- writing ---- */

enum err agent_key_write(struct cli *cli, const struct agent_key_place *place, bool fresh)
{
	struct buf b = BUF_INIT(FILE_MAX);
	enum err e;

	json_encode(&type_agent_key_file, &place->file, 0, &b);
	buf_c(&b, '\n');
	e = private_file_write(place->path, buf_str(&b), fresh, cli->arena, &cli->problem);
	sodium_memzero(b.p, b.n);
	buf_free(&b);
	if (e != ERR_ALREADY_EXISTS)
		return e;
	return problem_set(&cli->problem, e,
			   "%s is there already, the key of an agent; take another handle, or move it away",
			   place->path);
}

void agent_key_remove(const struct agent_key_place *place)
{
	unlink(place->path);
}

/* ---- using ---- */

struct str agent_key_sign(struct cli *cli, const struct agent_key_place *place, struct str text)
{
	unsigned char seed[crypto_sign_SEEDBYTES], public[crypto_sign_PUBLICKEYBYTES],
		pair[crypto_sign_SECRETKEYBYTES], signature[crypto_sign_BYTES];

	CHECK(sodium_init() >= 0);
	if (!proof_bytes(place->file.private_key, seed, sizeof(seed)))
		return (struct str){0};
	crypto_sign_seed_keypair(public, pair, seed);
	crypto_sign_detached(signature, NULL, (const unsigned char *)text.p, text.n, pair);
	sodium_memzero(pair, sizeof(pair));
	sodium_memzero(seed, sizeof(seed));
	return proof_text(cli->arena, (struct str){(const char *)signature, sizeof(signature)});
}

enum err agent_key_connect(struct cli *cli, struct str handle, struct client **out)
{
	struct agent_key_place place;
	struct problem none = cli->problem;

	if (cli->globals.key.n == 0 && agent_key_read(cli, handle, &place) == OK &&
	    HAS(&place.file, agent_key_file, key)) {
		cli->globals.key = place.file.key;
		cli->key_note = str_of(place.path);
		if (cli->globals.url.n == 0)
			cli->globals.url = place.file.url;
	}
	cli->problem = none;
	return cli_connect(cli, out);
}
