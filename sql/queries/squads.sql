-- Members of squads, and plans.

-- name: tenant_plan_get :one
-- in: id_row
-- out: (plan int64)
SELECT plan FROM tenants WHERE id = $1

-- name: tenant_plan_set :batch
-- in: (id id64, plan int64)
UPDATE tenants SET plan = $2 WHERE id = $1

-- Who changes its members waits here for whoever does so already; on SQLite nobody else could.
-- name: squad_hold :one
-- in: id_row
-- out: (id id64)
-- dialect: sqlite
SELECT id FROM squads WHERE id = $1
-- dialect: postgres
SELECT id FROM squads WHERE id = $1 FOR NO KEY UPDATE

-- struct: squad_member_row (
--   id id64, tenant id64, squad id64, name text, role int64, specialization text?, town_role int64, provider text?,
--   model text?, prompt text?, agent id64, active bool, version int64, created_ms int64, updated_ms int64)
-- name: squad_member_insert :batch
-- in: squad_member_row
INSERT INTO squad_members (id, tenant, squad, name, role, specialization, town_role, provider, model, prompt, agent,
  active, version, created_ms, updated_ms)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)

-- name: squad_member_get :one
-- in: id_row
-- out: squad_member_row
SELECT id, tenant, squad, name, role, specialization, town_role, provider, model, prompt, agent, active, version,
  created_ms, updated_ms
FROM squad_members WHERE id = $1

-- name: squad_member_page :many
-- in: (squad id64, below id64, visit int64)
-- out: squad_member_row
SELECT id, tenant, squad, name, role, specialization, town_role, provider, model, prompt, agent, active, version,
  created_ms, updated_ms
FROM squad_members WHERE squad = $1 AND id < $2 ORDER BY id DESC LIMIT $3

-- name: squad_member_count :one
-- in: (squad id64)
-- out: (count int64, active int64)
SELECT count(*) AS count, count(CASE WHEN active THEN 1 END) AS active FROM squad_members WHERE squad = $1

-- name: squad_member_named :one
-- in: (squad id64, name text)
-- out: (id id64)
SELECT id FROM squad_members WHERE squad = $1 AND name = $2

-- name: squad_member_update :batch
-- in: (id id64, name text, role int64, specialization text?, town_role int64, provider text?, model text?,
--   prompt text?, agent id64, active bool, version int64, updated_ms int64)
UPDATE squad_members SET name = $2, role = $3, specialization = $4, town_role = $5, provider = $6, model = $7,
  prompt = $8, agent = $9, active = $10, version = $11, updated_ms = $12
WHERE id = $1

-- name: squad_member_delete :batch
-- in: id_row
DELETE FROM squad_members WHERE id = $1
