/* See attest.h; lists are in attest_list.c. */
#include "directory/attest.h"

#include "base/id.h"
#include "base/magic.h"
#include "directory/agent.h"
#include "directory/capability.h"
#include "directory/proof.h"

#include <string.h>

enum { BEHAVIOR_MAX = 100 };

/* ---- what is signed ---- */

static bool is_bool(struct str value)
{
	return str_eqz(value, "true") || str_eqz(value, "false");
}

static bool is_percent(struct str value)
{
	int64_t n;
	return str_to_i64(value, &n) && n >= 0 && n <= BEHAVIOR_MAX;
}

/* A canonical text of some length. */
static bool is_words(struct str value)
{
	return value.n > 2 && value.p[0] == '"';
}

static enum err check_value(enum claim_type claim, struct str value, struct problem *p)
{
	switch (claim) {
	case CLAIM_CAPABILITY:
		return is_bool(value) ? OK
				      : problem_field(p, ERR_INVALID, "value",
						      "must be true or false for a claim of capability");
	case CLAIM_BEHAVIOR:
		return is_percent(value)
			       ? OK
			       : problem_field(p, ERR_INVALID, "value",
					       "must be a whole number from 0 to 100 for a claim of behavior");
	case CLAIM_IDENTITY:
		return is_words(value)
			       ? OK
			       : problem_field(p, ERR_INVALID, "value", "must be a text for a claim of identity");
	}
	UNREACHABLE();
}

static enum err canonical_value(const struct attestation_new *in, struct arena *a, struct str *out,
				struct problem *p)
{
	struct buf b = BUF_INIT(0);
	enum err err = json_canonical(in->value, a, &b, NULL);
	*out = arena_str(a, buf_str(&b));
	buf_free(&b);
	if (err)
		return problem_field(p, ERR_INVALID, "value", "has no canonical form");
	return check_value((enum claim_type)in->claim, *out, p);
}

enum err attest_canonical(const struct attestation_new *in, struct arena *a, struct buf *out, struct str *value,
			  struct problem *p)
{
	enum err err = canonical_value(in, a, value, p);
	if (err)
		return err;
	struct attestation_signed form = {.type = STR("tenfold.attestation.v1"),
					  .attester = in->attester,
					  .subject = in->subject,
					  .claim = in->claim,
					  .value = *value,
					  .issued_at = in->issued_at,
					  .nonce = in->nonce};
	if (HAS(in, attestation_new, capability))
		PUT(&form, attestation_signed, capability, in->capability);
	if (HAS(in, attestation_new, evidence))
		PUT(&form, attestation_signed, evidence, in->evidence);
	if (HAS(in, attestation_new, expires_at))
		PUT(&form, attestation_signed, expires_at, in->expires_at);
	struct buf plain = BUF_INIT(0);
	json_encode(&type_attestation_signed, &form, 0, &plain);
	err = json_canonical(buf_str(&plain), a, out, p);
	buf_free(&plain);
	return err;
}

/* ---- checks ---- */

static enum err check_capability(const struct attestation_new *in, struct problem *p)
{
	bool given = HAS(in, attestation_new, capability);
	if (in->claim == CLAIM_CAPABILITY && !given)
		return problem_field(p, ERR_MISSING_FIELD, "capability", "which one the claim is about");
	if (in->claim == CLAIM_IDENTITY && given)
		return problem_field(p, ERR_INVALID, "capability", "does not go with a claim of identity");
	return OK;
}

static enum err check_times(const struct attestation_new *in, int64_t now_ms, struct problem *p)
{
	if (in->issued_at < now_ms - ATTEST_SKEW_MS || in->issued_at > now_ms + ATTEST_SKEW_MS)
		return problem_field(p, ERR_INVALID, "issued_at",
				     "lies more than 5 minutes from the server's clock; sign it anew");
	if (!HAS(in, attestation_new, expires_at))
		return OK;
	if (in->expires_at <= in->issued_at)
		return problem_field(p, ERR_INVALID, "expires_at", "must be after issued_at");
	if (in->expires_at <= now_ms)
		return problem_field(p, ERR_INVALID, "expires_at", "has passed");
	return OK;
}

enum err attest_check(const struct attestation_new *in, int64_t now_ms, struct problem *p)
{
	if (in->attester == in->subject)
		return problem_field(p, ERR_INVALID, "subject", "an agent does not attest itself");
	enum err err = check_capability(in, p);
	return err ? err : check_times(in, now_ms, p);
}

static struct str agent_id(struct arena *a, int64_t id)
{
	char text[ID_TEXT];
	id_format(text, "ag_", id);
	return arena_str(a, str_of(text));
}

static enum err find_agents(struct call *c, const struct attestation_new *in, struct directory_agent *attester,
			    struct directory_agent *subject)
{
	enum err err = agent_hold(c, agent_id(c->arena, in->attester), attester);
	if (err == ERR_NOT_FOUND || err == ERR_GONE)
		return problem_field(&c->problem, ERR_INVALID, "attester", "there is no such agent here");
	if (err)
		return err;
	if (!attester->row.public_key.p)
		return problem_field(&c->problem, ERR_INVALID, "attester",
				     "has no public key; POST /v1/agents/{id}/transfer gives it one");
	err = agent_read(c, agent_id(c->arena, in->subject), subject);
	if (err == ERR_NOT_FOUND || err == ERR_GONE)
		return problem_field(&c->problem, ERR_INVALID, "subject", "there is no such agent here");
	return err;
}

static enum err find_capability(struct call *c, const struct attestation_new *in, int64_t *id)
{
	*id = 0;
	if (!HAS(in, attestation_new, capability))
		return OK;
	struct capability_find_in wanted = {c->caller.tenant, in->capability};
	enum err err = capability_ids(c->db, &wanted, 1, id);
	if (!err && *id == 0)
		return problem_field(&c->problem, ERR_INVALID, "capability",
				     "there is no capability '%.*s'; 'tenfold capability list' shows them",
				     STRF(in->capability));
	return err;
}

static enum err verify(struct call *c, const struct attestation_new *in, const struct directory_agent *attester,
		       struct str *value)
{
	struct buf form = BUF_INIT(0);
	enum err err = attest_canonical(in, c->arena, &form, value, &c->problem);
	bool good = !err &&
		    proof_verify((const unsigned char *)attester->row.public_key.p, buf_str(&form), in->signature);
	buf_free(&form);
	if (err || good)
		return err;
	return problem_field(&c->problem, ERR_INVALID, "signature",
			     "is not that of the canonical form (docs/directory.md) with the attester's key");
}

/* ---- rows ---- */

static struct attestation_row row_of(const struct call *c, int64_t id, const struct attestation_new *in,
				     int64_t capability, struct str value, struct str signature)
{
	return (struct attestation_row){.id = id,
					.tenant = c->caller.tenant,
					.attester = in->attester,
					.subject = in->subject,
					.claim = in->claim,
					.capability = capability,
					.value = value,
					.evidence = in->evidence,
					.issued_ms = in->issued_at,
					.expires_ms = HAS(in, attestation_new, expires_at) ? in->expires_at : 0,
					.nonce = in->nonce,
					.signature = signature,
					.created_ms = c->now_ms};
}

static enum err insert(struct call *c, const struct attestation_row *row)
{
	struct attestation_insert_out inserted;
	enum err err = q_attestation_insert(c->db, row, c->arena, &inserted);
	if (err == ERR_NOT_FOUND)
		return problem_field(&c->problem, ERR_ALREADY_EXISTS, "nonce",
				     "was used by this attester before; sign it with a new one");
	return err;
}

enum err attest_add(struct call *c, int64_t id, const struct attestation_new *in, struct attestation_full_row *out)
{
	struct directory_agent attester, subject;
	int64_t capability = 0;
	struct str value;
	unsigned char *bytes = arena_alloc(c->arena, PROOF_SIGNATURE);
	enum err err = bytes ? attest_check(in, c->now_ms, &c->problem) : ERR_INTERNAL;
	if (!err)
		err = find_agents(c, in, &attester, &subject);
	if (!err)
		err = find_capability(c, in, &capability);
	if (!err)
		err = verify(c, in, &attester, &value);
	if (err)
		return err;
	CHECK(proof_bytes(in->signature, bytes, PROOF_SIGNATURE)); /* it has been verified */
	struct str signature = {(const char *)bytes, PROOF_SIGNATURE};
	struct attestation_row row = row_of(c, id, in, capability, value, signature);
	err = insert(c, &row);
	return err ? err : q_attestation_get(c->db, &(struct id_row){id}, c->arena, out);
}

void attest_show(const struct attestation_full_row *row, struct arena *a, struct attestation *out)
{
	*out = (struct attestation){.id = row->id,
				    .attester = row->attester,
				    .subject = row->subject,
				    .claim = (int)row->claim,
				    .value = row->value,
				    .issued_at = row->issued_ms,
				    .nonce = row->nonce,
				    .signature = proof_text(a, row->signature),
				    .created_at = row->created_ms};
	if (row->slug.p)
		PUT(out, attestation, capability, row->slug);
	if (row->evidence.p)
		PUT(out, attestation, evidence, row->evidence);
	if (row->expires_ms)
		PUT(out, attestation, expires_at, row->expires_ms);
	if (row->revoked_ms)
		PUT(out, attestation, revoked_at, row->revoked_ms);
}

bool attest_is_readable(const struct caller *caller, const struct attestation_full_row *row)
{
	return row->tenant == caller->tenant || row->subject_tenant == caller->tenant ||
	       (row->attester_visibility == VISIBLE_PUBLIC && row->subject_visibility == VISIBLE_PUBLIC);
}

enum err attest_read(struct call *c, int64_t id, struct attestation_full_row *out)
{
	enum err err = q_attestation_get(c->db, &(struct id_row){id}, c->arena, out);
	if (err && err != ERR_NOT_FOUND)
		return err;
	if (err || !attest_is_readable(&c->caller, out))
		return call_fail(c, ERR_NOT_FOUND, "there is no such attestation here");
	return OK;
}

enum err attest_revoke(struct call *c, int64_t id, struct attestation_full_row *out, bool *changed)
{
	enum err err = attest_read(c, id, out);
	*changed = !err && out->revoked_ms == 0;
	if (err)
		return err;
	if (out->tenant != c->caller.tenant ||
	    (c->caller.scope < SCOPE_OPERATOR && c->caller.agent != out->attester))
		return call_fail(c, ERR_FORBIDDEN, "only its attester and operators of the attester's tenant may");
	if (!*changed)
		return OK;
	out->revoked_ms = c->now_ms;
	struct attestation_revoke_in in = {id, c->now_ms};
	struct attestation_revoke_out revoked;
	err = q_attestation_revoke(c->db, &in, c->arena, &revoked);
	return err == ERR_NOT_FOUND ? ERR_STORE_BUSY : err; /* somebody was faster: run again, it is seen above */
}

struct change_fact attest_fact(const struct call *c, const struct attestation_full_row *row)
{
	bool public = row->attester_visibility == VISIBLE_PUBLIC && row->subject_visibility == VISIBLE_PUBLIC;
	return (struct change_fact){.tenant = row->tenant,
				    .entity = ENTITY_ATTESTATION,
				    .op = row->revoked_ms ? OP_DELETE : OP_PUT,
				    .ref = row->id,
				    .version = row->revoked_ms ? 2 : 1,
				    .public = public,
				    .at_ms = c->now_ms};
}
