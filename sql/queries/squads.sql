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

-- The active member of that role who is there longest.
-- name: squad_member_of_role :one
-- in: (squad id64, role int64)
-- out: (id id64)
SELECT id FROM squad_members WHERE squad = $1 AND role = $2 AND active ORDER BY id LIMIT 1

-- ---- projects ----

-- struct: project_row (
--   id id64, tenant id64, squad id64, name text, description text, repository text?, tickets text?, version int64,
--   created_ms int64, updated_ms int64)
-- name: project_insert :batch
-- in: project_row
INSERT INTO projects (id, tenant, squad, name, description, repository, tickets, version, created_ms, updated_ms)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)

-- name: project_get :one
-- in: id_row
-- out: project_row
SELECT id, tenant, squad, name, description, repository, tickets, version, created_ms, updated_ms
FROM projects WHERE id = $1

-- Who changes it or what its tasks need waits here for whoever does so already; on SQLite nobody else could.
-- name: project_hold :one
-- in: id_row
-- out: (id id64)
-- dialect: sqlite
SELECT id FROM projects WHERE id = $1
-- dialect: postgres
SELECT id FROM projects WHERE id = $1 FOR NO KEY UPDATE

-- name: project_page :many
-- in: (tenant id64, below id64, visit int64)
-- out: project_row
SELECT id, tenant, squad, name, description, repository, tickets, version, created_ms, updated_ms
FROM projects WHERE tenant = $1 AND id < $2 ORDER BY id DESC LIMIT $3

-- name: project_update :batch
-- in: (id id64, name text, description text, repository text?, tickets text?, version int64, updated_ms int64)
UPDATE projects SET name = $2, description = $3, repository = $4, tickets = $5, version = $6, updated_ms = $7
WHERE id = $1

-- name: project_delete :batch
-- in: id_row
DELETE FROM projects WHERE id = $1

-- ---- tasks ----

-- struct: task_row (
--   id id64, tenant id64, project id64, squad id64, external text?, title text, description text, status int64,
--   priority int64, version int64, created_ms int64, updated_ms int64)
-- name: task_insert :batch
-- in: task_row
INSERT INTO tasks (id, tenant, project, squad, external, title, description, status, priority, version, created_ms,
  updated_ms)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)

-- name: task_get :one
-- in: id_row
-- out: task_row
SELECT id, tenant, project, squad, external, title, description, status, priority, version, created_ms, updated_ms
FROM tasks WHERE id = $1

-- name: task_external :one
-- in: (project id64, external text)
-- out: (id id64)
SELECT id FROM tasks WHERE project = $1 AND external = $2

-- name: task_page :many
-- in: (tenant id64, below id64, visit int64)
-- out: task_row
SELECT id, tenant, project, squad, external, title, description, status, priority, version, created_ms, updated_ms
FROM tasks WHERE tenant = $1 AND id < $2 ORDER BY id DESC LIMIT $3

-- name: task_page_of_project :many
-- in: (project id64, below id64, visit int64)
-- out: task_row
SELECT id, tenant, project, squad, external, title, description, status, priority, version, created_ms, updated_ms
FROM tasks WHERE project = $1 AND id < $2 ORDER BY id DESC LIMIT $3

-- Its version counts on by itself, because executions write it too.
-- name: task_update :batch
-- in: (id id64, external text?, title text, description text, status int64, priority int64, updated_ms int64)
UPDATE tasks SET external = $2, title = $3, description = $4, status = $5, priority = $6, version = tasks.version + 1,
  updated_ms = $7
WHERE id = $1

-- struct: task_status_row (id id64, status int64, updated_ms int64)
-- name: task_status_update :batch
-- in: task_status_row
UPDATE tasks SET status = $2, version = tasks.version + 1, updated_ms = $3 WHERE id = $1 AND status <> $2

-- name: task_need_insert :batch
-- in: (task id64, needs id64)
INSERT INTO task_dependencies (task, needs) VALUES ($1, $2)

-- name: task_need_delete_all :batch
-- in: id_row
DELETE FROM task_dependencies WHERE task = $1

-- name: task_needs_of :many
-- in: id_row
-- out: (needs id64, status int64)
SELECT d.needs, t.status FROM task_dependencies d JOIN tasks t ON t.id = d.needs WHERE d.task = $1 ORDER BY d.needs

-- Does the first need the second, over however many others?
-- name: task_reaches :one
-- in: (task id64, target id64)
-- out: (reaches bool)
WITH RECURSIVE needed (task) AS (
  SELECT needs FROM task_dependencies WHERE task = $1
  UNION SELECT d.needs FROM task_dependencies d JOIN needed n ON d.task = n.task)
SELECT count(*) > 0 AS reaches FROM needed WHERE task = $2

-- How many tasks need it?
-- name: task_needed_by :one
-- in: id_row
-- out: (count int64)
SELECT count(*) AS count FROM task_dependencies WHERE needs = $1

-- name: task_count_of_project :one
-- in: id_row
-- out: (count int64)
SELECT count(*) AS count FROM tasks WHERE project = $1

-- name: task_delete :batch
-- in: id_row
DELETE FROM tasks WHERE id = $1

-- name: task_need_delete_of_project :exec
-- in: id_row
DELETE FROM task_dependencies WHERE task IN (SELECT id FROM tasks WHERE project = $1)

-- name: task_delete_of_project :batch
-- in: id_row
DELETE FROM tasks WHERE project = $1
