-- Tenants and keys.

-- struct: tenant_row (id id64, name text, created_ms int64)
-- struct: key_row (id id64, tenant id64, name text, scope int64, hash bytes, created_ms int64, expires_ms int64, revoked_ms int64)

-- Returns a row so that a name that is taken shows at once, not at the commit.
-- name: tenant_insert :one
-- in: tenant_row
-- out: (id id64)
INSERT INTO tenants (id, name, created_ms) VALUES ($1, $2, $3) RETURNING id

-- name: tenant_all :many
-- out: tenant_row
SELECT id, name, created_ms FROM tenants ORDER BY id

-- name: key_insert :exec
-- in: key_row
INSERT INTO keys (id, tenant, name, scope, hash, created_ms, expires_ms, revoked_ms) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)

-- name: key_all :many
-- out: key_row
SELECT id, tenant, name, scope, hash, created_ms, expires_ms, revoked_ms FROM keys ORDER BY id

-- name: key_revoke :one
-- in: (id id64, tenant id64, revoked_ms int64)
-- out: (id id64)
UPDATE keys SET revoked_ms = $3 WHERE id = $1 AND tenant = $2 AND revoked_ms = 0 RETURNING id
