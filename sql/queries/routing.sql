-- Rules that say whom questions go to; see src/squads/routing.h.

-- struct: routing_rule_row (
--   id id64, tenant id64, squad id64, kind text, from_role int64, keywords text, goes_to text, on_silence int64,
--   priority int64, active bool, version int64, created_ms int64, updated_ms int64)
-- name: routing_rule_insert :batch
-- in: routing_rule_row
INSERT INTO routing_rules (id, tenant, squad, kind, from_role, keywords, goes_to, on_silence, priority, active, version,
  created_ms, updated_ms)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)

-- name: routing_rule_get :one
-- in: id_row
-- out: routing_rule_row
SELECT id, tenant, squad, kind, from_role, keywords, goes_to, on_silence, priority, active, version, created_ms, updated_ms
FROM routing_rules WHERE id = $1

-- name: routing_rule_update :batch
-- in: (id id64, kind text, from_role int64, keywords text, goes_to text, on_silence int64, priority int64, active bool,
--   version int64, updated_ms int64)
UPDATE routing_rules SET kind = $2, from_role = $3, keywords = $4, goes_to = $5, on_silence = $6, priority = $7,
  active = $8, version = $9, updated_ms = $10
WHERE id = $1

-- name: routing_rule_delete :batch
-- in: id_row
DELETE FROM routing_rules WHERE id = $1

-- name: routing_rule_page :many
-- in: (tenant id64, below id64, visit int64)
-- out: routing_rule_row
SELECT id, tenant, squad, kind, from_role, keywords, goes_to, on_silence, priority, active, version, created_ms, updated_ms
FROM routing_rules WHERE tenant = $1 AND id < $2 ORDER BY id DESC LIMIT $3

-- Who counts the rules of a tenant waits here for whoever does so already; on SQLite nobody else could.
-- name: routing_hold :one
-- in: id_row
-- out: (id id64)
-- dialect: sqlite
SELECT id FROM tenants WHERE id = $1
-- dialect: postgres
SELECT id FROM tenants WHERE id = $1 FOR NO KEY UPDATE

-- name: routing_rule_count :one
-- in: (tenant id64, squad id64)
-- out: (count int64)
SELECT count(*) AS count FROM routing_rules WHERE tenant = $1 AND squad = $2

-- Of a squad, or with 0 of the tenant: the one that counts first.
-- name: routing_rule_of :many
-- in: (tenant id64, squad id64)
-- out: routing_rule_row
SELECT id, tenant, squad, kind, from_role, keywords, goes_to, on_silence, priority, active, version, created_ms, updated_ms
FROM routing_rules WHERE tenant = $1 AND squad = $2 ORDER BY priority DESC, id DESC

-- Those that can be asked, the longest there first.
-- name: squad_member_active_all :many
-- in: id_row
-- out: (id id64, role int64)
SELECT id, role FROM squad_members WHERE squad = $1 AND active ORDER BY id
