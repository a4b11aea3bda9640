-- Tenants and keys.

-- struct: tenant_row (id id64, name text, created_ms int64)
-- struct: key_row (
--   id id64, tenant id64, name text, scope int64, hash bytes, created_ms int64, expires_ms int64, revoked_ms int64,
--   agent id64, tier int64, user_id id64, sign_in id64, role int64)

-- Returns a row so that a name that is taken shows at once, not at the commit.
-- name: tenant_insert :one
-- in: (id id64, name text, created_ms int64, plan int64)
-- out: (id id64)
INSERT INTO tenants (id, name, created_ms, plan) VALUES ($1, $2, $3, $4) RETURNING id

-- name: tenant_all :many
-- out: tenant_row
SELECT id, name, created_ms FROM tenants ORDER BY id

-- name: tenant_count :one
-- out: (count int64)
SELECT count(*) AS count FROM tenants

-- name: key_get :one
-- in: id_row
-- out: key_row
SELECT id, tenant, name, scope, hash, created_ms, expires_ms, revoked_ms, agent, tier, user_id, sign_in, role
FROM keys WHERE id = $1

-- name: key_insert :batch
-- in: key_row
INSERT INTO keys (
  id, tenant, name, scope, hash, created_ms, expires_ms, revoked_ms, agent, tier, user_id, sign_in, role)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)

-- name: key_all :many
-- out: key_row
SELECT id, tenant, name, scope, hash, created_ms, expires_ms, revoked_ms, agent, tier, user_id, sign_in, role
FROM keys ORDER BY id

-- name: key_of_hash :one
-- in: (hash bytes)
-- out: key_row
SELECT id, tenant, name, scope, hash, created_ms, expires_ms, revoked_ms, agent, tier, user_id, sign_in, role
FROM keys WHERE hash = $1

-- name: key_revoke :one
-- in: (id id64, tenant id64, revoked_ms int64)
-- out: (id id64)
UPDATE keys SET revoked_ms = $3 WHERE id = $1 AND tenant = $2 AND revoked_ms = 0 RETURNING id

-- Of a tenant, oldest first, without access tokens of people.
-- name: key_page :many
-- in: (tenant id64, above id64, visit int64)
-- out: key_row
SELECT id, tenant, name, scope, hash, created_ms, expires_ms, revoked_ms, agent, tier, user_id, sign_in, role
FROM keys
WHERE tenant = $1 AND id > $2 AND user_id = 0 ORDER BY id LIMIT $3

-- ---- the keys of an agent ----

-- The newest, which a new one follows in its tier.
-- name: key_of_agent :one
-- in: (agent id64)
-- out: (id id64, tier int64)
SELECT id, tier FROM keys WHERE agent = $1 AND agent > 0 ORDER BY id DESC LIMIT 1

-- name: key_revoke_of_agent :many
-- in: (agent id64, revoked_ms int64)
-- out: id_row
UPDATE keys SET revoked_ms = $2 WHERE agent = $1 AND agent > 0 AND revoked_ms = 0 RETURNING id

-- Those that would work longer; but not the one that takes their place.
-- name: key_expire_of_agent :many
-- in: (agent id64, keep id64, expires_ms int64)
-- out: id_row
UPDATE keys SET expires_ms = $3
WHERE agent = $1 AND agent > 0 AND id <> $2 AND revoked_ms = 0 AND (expires_ms = 0 OR expires_ms > $3) RETURNING id

-- name: key_tier_of_agent :many
-- in: (agent id64, tier int64, now_ms int64)
-- out: id_row
UPDATE keys SET tier = $2
WHERE agent = $1 AND agent > 0 AND revoked_ms = 0 AND (expires_ms = 0 OR expires_ms > $3) RETURNING id
