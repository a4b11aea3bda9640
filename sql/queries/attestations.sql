-- Attestations: what one agent says of another. They are only ever added, and revoked.

-- struct: attestation_row (
--   id id64, tenant id64, attester id64, subject id64, claim int64, capability id64, value json, evidence text?,
--   issued_ms int64, expires_ms int64, nonce text, signature bytes, created_ms int64, revoked_ms int64)

-- Gives no row where the attester has used the nonce.
-- name: attestation_insert :one
-- in: attestation_row
-- out: (id id64)
INSERT INTO attestations (id, tenant, attester, subject, claim, capability, value, evidence, issued_ms, expires_ms, nonce,
  signature, created_ms, revoked_ms)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)
ON CONFLICT (attester, nonce) DO NOTHING RETURNING id

-- With the slug of its capability, and who may see its two agents; a tenant of 0: it is gone.
-- struct: attestation_full_row (
--   id id64, tenant id64, attester id64, subject id64, claim int64, slug text?, value json, evidence text?,
--   issued_ms int64, expires_ms int64, nonce text, signature bytes, created_ms int64, revoked_ms int64,
--   attester_visibility int64, subject_tenant id64, subject_visibility int64)
-- name: attestation_get :one
-- in: id_row
-- out: attestation_full_row
SELECT t.id, t.tenant, t.attester, t.subject, t.claim, c.slug, t.value, t.evidence, t.issued_ms, t.expires_ms, t.nonce,
  t.signature, t.created_ms, t.revoked_ms, coalesce(a.visibility, 0) AS attester_visibility,
  coalesce(s.tenant, 0) AS subject_tenant, coalesce(s.visibility, 0) AS subject_visibility
FROM attestations t LEFT JOIN capabilities c ON c.id = t.capability
  LEFT JOIN agents a ON a.id = t.attester LEFT JOIN agents s ON s.id = t.subject
WHERE t.id = $1

-- name: attestation_page_of_subject :many
-- in: (subject id64, below id64, visit int64)
-- out: attestation_full_row
SELECT t.id, t.tenant, t.attester, t.subject, t.claim, c.slug, t.value, t.evidence, t.issued_ms, t.expires_ms, t.nonce,
  t.signature, t.created_ms, t.revoked_ms, coalesce(a.visibility, 0) AS attester_visibility,
  coalesce(s.tenant, 0) AS subject_tenant, coalesce(s.visibility, 0) AS subject_visibility
FROM attestations t LEFT JOIN capabilities c ON c.id = t.capability
  LEFT JOIN agents a ON a.id = t.attester LEFT JOIN agents s ON s.id = t.subject
WHERE t.subject = $1 AND t.id < $2 ORDER BY t.id DESC LIMIT $3

-- name: attestation_page_of_attester :many
-- in: (attester id64, below id64, visit int64)
-- out: attestation_full_row
SELECT t.id, t.tenant, t.attester, t.subject, t.claim, c.slug, t.value, t.evidence, t.issued_ms, t.expires_ms, t.nonce,
  t.signature, t.created_ms, t.revoked_ms, coalesce(a.visibility, 0) AS attester_visibility,
  coalesce(s.tenant, 0) AS subject_tenant, coalesce(s.visibility, 0) AS subject_visibility
FROM attestations t LEFT JOIN capabilities c ON c.id = t.capability
  LEFT JOIN agents a ON a.id = t.attester LEFT JOIN agents s ON s.id = t.subject
WHERE t.attester = $1 AND t.id < $2 ORDER BY t.id DESC LIMIT $3

-- Gives no row where somebody was faster; with a row asked for, that is known at once and not at the commit.
-- name: attestation_revoke :one
-- in: (id id64, revoked_ms int64)
-- out: (id id64)
UPDATE attestations SET revoked_ms = $2 WHERE id = $1 AND revoked_ms = 0 RETURNING id
