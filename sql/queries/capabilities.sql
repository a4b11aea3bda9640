-- Capabilities: tenant 0 has the common ones, which no tenant can have a second time. And who has them.

-- struct: capability_row (
--   id id64, tenant id64, slug text, description text, version text, input_schema json?, output_schema json?,
--   created_ms int64)

-- Gives no row where the tenant has the slug.
-- name: capability_insert :one
-- in: capability_row
-- out: (id id64)
INSERT INTO capabilities (id, tenant, slug, description, version, input_schema, output_schema, created_ms)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (tenant, slug) DO NOTHING RETURNING id

-- name: capability_get :one
-- in: (tenant id64, slug text)
-- out: capability_row
SELECT id, tenant, slug, description, version, input_schema, output_schema, created_ms FROM capabilities
WHERE slug = $2 AND tenant IN (0, $1) ORDER BY tenant LIMIT 1

-- name: capability_find :one
-- in: (tenant id64, slug text)
-- out: (id id64)
SELECT id FROM capabilities WHERE slug = $2 AND tenant IN (0, $1) ORDER BY tenant LIMIT 1

-- Of one tenant, by slug.
-- name: capability_page :many
-- in: (tenant id64, above text, visit int64)
-- out: capability_row
SELECT id, tenant, slug, description, version, input_schema, output_schema, created_ms FROM capabilities
WHERE tenant = $1 AND slug > $2 ORDER BY slug LIMIT $3

-- ---- who has them ----

-- struct: agent_capability_row (agent id64, capability id64, endpoint text?, created_ms int64)

-- name: agent_capability_put :batch
-- in: agent_capability_row
INSERT INTO agent_capabilities (agent, capability, endpoint, created_ms) VALUES ($1, $2, $3, $4)
ON CONFLICT (agent, capability) DO UPDATE SET endpoint = excluded.endpoint

-- name: agent_capability_delete :one
-- in: (agent id64, capability id64)
-- out: (agent id64)
DELETE FROM agent_capabilities WHERE agent = $1 AND capability = $2 RETURNING agent

-- name: agent_capability_delete_all :batch
-- in: id_row
DELETE FROM agent_capabilities WHERE agent = $1

-- Agents with a capability, newest first.
-- name: capability_holders :many
-- in: (capability id64, below id64, visit int64)
-- out: (id id64, tenant id64, visibility int64)
SELECT a.id, a.tenant, a.visibility FROM agent_capabilities ac CROSS JOIN agents a
WHERE ac.capability = $1 AND ac.agent < $2 AND a.id = ac.agent AND a.deleted_ms = 0
ORDER BY ac.agent DESC LIMIT $3
