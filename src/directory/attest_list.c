/* Lists of attestations: along those of a subject or of an attester, newest first. See page.h. */
#include "directory/attest.h"

#include "directory/agent.h"
#include "store/page.h"

struct listing {
	struct call *c;
	const struct attestation_list_in *in;
	struct attestation_list_out *out;
	int64_t subject, attester; /* 0: any */
};

static enum err read_subject(void *ctx, int64_t below, int64_t visit, db_row_fn *each, void *each_ctx)
{
	const struct listing *l = ctx;
	struct attestation_page_of_subject_in in = {l->subject, below, visit};
	return q_attestation_page_of_subject(l->c->db, &in, each, each_ctx);
}

static enum err read_attester(void *ctx, int64_t below, int64_t visit, db_row_fn *each, void *each_ctx)
{
	const struct listing *l = ctx;
	struct attestation_page_of_attester_in in = {l->attester, below, visit};
	return q_attestation_page_of_attester(l->c->db, &in, each, each_ctx);
}

static bool is_wanted(const struct listing *l, const struct attestation_full_row *r)
{
	bool over = r->revoked_ms > 0 || (r->expires_ms > 0 && r->expires_ms <= l->c->now_ms);
	return attest_is_readable(&l->c->caller, r) && (l->in->revoked || !over) &&
	       (l->attester == 0 || r->attester == l->attester);
}

static bool keep(void *ctx, const void *row)
{
	struct listing *l = ctx;
	struct arena *a = l->c->arena;
	struct attestation_full_row r = *(const struct attestation_full_row *)row;
	if (!is_wanted(l, &r))
		return false;
	r.slug = arena_kept(a, r.slug);
	r.evidence = arena_kept(a, r.evidence);
	r.value = arena_str(a, r.value);
	r.nonce = arena_str(a, r.nonce);
	attest_show(&r, a, &l->out->items[l->out->items_count++]);
	return true;
}

/* What a caller may not read, nobody has. */
static enum err find(struct call *c, bool given, struct str ref, int64_t *id)
{
	struct directory_agent agent;
	if (!given)
		return OK;
	enum err err = agent_read(c, ref, &agent);
	*id = err ? 0 : agent.row.id;
	return err;
}

enum err attest_list(struct call *c, const struct attestation_list_in *in, struct attestation_list_out *out)
{
	bool subject = HAS(in, attestation_list_in, subject), attester = HAS(in, attestation_list_in, attester);
	struct listing l = {.c = c, .in = in, .out = out};
	struct page_source source = {subject ? read_subject : read_attester, keep, &l};
	struct page_end end;
	if (!subject && !attester)
		return problem_field(&c->problem, ERR_MISSING_FIELD, "subject",
				     "give a subject, an attester or both");
	enum err err = find(c, subject, in->subject, &l.subject);
	if (!err)
		err = find(c, attester, in->attester, &l.attester);
	if (err)
		return err;
	out->items = ARENA_ARRAY(c->arena, struct attestation, PAGE_ROOM(in));
	err = page_take(&source, PAGE_WANT(in, attestation_list_in), c->arena, &c->problem, &end);
	if (!err)
		PAGE_PUT(out, attestation_list_out, end);
	return err;
}
