/*
 * attest add: what one agent says of another, signed with the key pair that is here and sent.
 */
#include "base/clock.h"
#include "cli/agent_key.h"
#include "cli/client.h"
#include "cli/print.h"
#include "directory/attest.h"
#include "directory/proof.h"

#include <sodium.h>

enum { NONCE_BYTES = 16 };

/* A text may be given as people write it, and what is no JSON can only be one. */
static struct str value_of(struct cli *cli, const struct attest_args *a)
{
	struct buf b = BUF_INIT(0);
	struct str json = a->value;

	if ((a->claim == CLAIM_IDENTITY && !str_starts(a->value, STR("\""))) || json_check(a->value, NULL) != OK) {
		buf_json_text(&b, a->value);
		json = arena_str(cli->arena, buf_str(&b));
		buf_free(&b);
	}
	return json;
}

static struct str fresh_nonce(struct cli *cli)
{
	unsigned char bytes[NONCE_BYTES];

	randombytes_buf(bytes, sizeof(bytes));
	return proof_text(cli->arena, (struct str){(const char *)bytes, sizeof(bytes)});
}

static enum err find_id(struct cli *cli, struct client *client, struct str ref, int64_t *id)
{
	struct agent_ref in = {0};
	struct agent out = {0};
	enum err e;

	PUT(&in, agent_ref, id, ref);
	e = client_call(client, ROUTE_agent_show, &in, cli->arena, &out, NULL, &cli->problem);
	*id = out.id;
	return e;
}

static int64_t wall_ms(void)
{
	struct clock *clock = clock_system_new();
	int64_t ms = clock_now_ms(clock);

	clock_system_destroy(&clock);
	return ms;
}

static void fill(struct cli *cli, const struct attest_args *a, struct attestation_new *out)
{
	PUT(out, attestation_new, claim, a->claim);
	PUT(out, attestation_new, value, value_of(cli, a));
	PUT(out, attestation_new, issued_at, wall_ms());
	PUT(out, attestation_new, nonce, fresh_nonce(cli));
	if (HAS(a, attest_args, capability))
		PUT(out, attestation_new, capability, a->capability);
	if (HAS(a, attest_args, evidence))
		PUT(out, attestation_new, evidence, a->evidence);
	if (HAS(a, attest_args, expires_at))
		PUT(out, attestation_new, expires_at, a->expires_at);
}

static enum err sign(struct cli *cli, const struct agent_key_place *place, struct attestation_new *in)
{
	struct buf form = BUF_INIT(0);
	struct str value;
	enum err e = attest_check(in, in->issued_at, &cli->problem);

	if (!e)
		e = attest_canonical(in, cli->arena, &form, &value, &cli->problem);
	if (!e)
		PUT(in, attestation_new, signature, agent_key_sign(cli, place, buf_str(&form)));
	buf_free(&form);
	return e;
}

static enum err attest(struct cli *cli, struct client *client, const struct attest_args *a,
		       const struct agent_key_place *place)
{
	struct attestation_new in = {0};
	struct attestation out;
	struct str reply;
	struct buf b = BUF_INIT(0);
	int64_t subject;
	enum err e = find_id(cli, client, a->subject, &subject);

	if (e)
		return e;
	PUT(&in, attestation_new, attester, place->file.id);
	PUT(&in, attestation_new, subject, subject);
	fill(cli, a, &in);
	e = sign(cli, place, &in);
	if (!e)
		e = client_call(client, ROUTE_attestation_add, &in, cli->arena, &out, &reply, &cli->problem);
	if (!e && cli->globals.json)
		buf_str_add(&b, reply), buf_c(&b, '\n');
	else if (!e)
		print_object(&type_attestation, &out, "", print_width(), &b);
	fputs(buf_cstr(&b), stdout);
	buf_free(&b);
	return e;
}

enum err cmd_attest_add(struct cli *cli, const void *args)
{
	const struct attest_args *a = args;
	struct agent_key_place place;
	struct client *client;
	enum err e = agent_key_read(cli, a->attester, &place);

	if (!e && !HAS(&place.file, agent_key_file, id))
		e = problem_set(&cli->problem, ERR_CONFLICT,
				"%s is of an agent whose registration was not answered", place.path);
	if (!e)
		e = agent_key_connect(cli, a->attester, &client);
	if (e)
		return e;
	e = attest(cli, client, a, &place);
	client_destroy(&client);
	return e;
}
