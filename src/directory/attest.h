/*
 * Attestations: what one agent says of another, signed with its key, so that anybody can check it.
 *
 * What is signed is the canonical form (RFC 8785) of an object with these members, of which those that are not given
 * are left out:
 *
 *   type "tenfold.attestation.v1", attester, subject, claim, capability, value, evidence, issued_at, expires_at, nonce
 *
 * with ids as the API writes them and times as 2026-01-31T12:00:00.000Z. The value is true or false where the claim is
 * a capability, a whole number from 0 to 100 where it is behavior, a text where it is identity.
 *
 * Who sees one: the attester's tenant, the subject's tenant, and everybody when both agents are public.
 */
#ifndef TENFOLD_DIRECTORY_ATTEST_H
#define TENFOLD_DIRECTORY_ATTEST_H

#include "http/call.h"
#include "store/queries.h"

enum { ATTEST_SKEW_MS = 300000 };

/* Appends what is to be signed; *value is the claim's value in its canonical form. ERR_INVALID names the member that
 * does not fit its claim. */
enum err attest_canonical(const struct attestation_new *in, struct arena *a, struct buf *out, struct str *value,
			  struct problem *p);

/* What is wrong with its members alone, at a time: those that do not go together, times, oneself. */
enum err attest_check(const struct attestation_new *in, int64_t now_ms, struct problem *p);

/* Inside a transaction: checks all of it, and writes the row. The caller may act for the attester. */
enum err attest_add(struct call *c, int64_t id, const struct attestation_new *in, struct attestation_full_row *out);

void attest_show(const struct attestation_full_row *row, struct arena *a, struct attestation *out);

/* ERR_NOT_FOUND, also when the caller may not see it. */
enum err attest_read(struct call *c, int64_t id, struct attestation_full_row *out);

bool attest_is_readable(const struct caller *caller, const struct attestation_full_row *row);

/* Takes one back; it may have been before. ERR_FORBIDDEN when it is another's. */
enum err attest_revoke(struct call *c, int64_t id, struct attestation_full_row *out, bool *changed);

enum err attest_list(struct call *c, const struct attestation_list_in *in, struct attestation_list_out *out);

struct change_fact attest_fact(const struct call *c, const struct attestation_full_row *row);

#endif
