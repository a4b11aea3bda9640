-- Schedules, and the fires that were dealt with: src/schedule/.

-- struct: schedule_row (
--   id id64, tenant id64, name text, definition json, created_ms int64, changed_ms int64, paused_ms int64, next_ms int64,
--   due_ms int64, last_ms int64, last_item id64, last_execution id64, waiting_ms int64)

-- Gives no row where the name is taken.
-- name: schedule_insert :one
-- in: schedule_row
-- out: id_row
INSERT INTO schedules (id, tenant, name, definition, created_ms, changed_ms, paused_ms, next_ms, due_ms, last_ms, last_item,
  last_execution, waiting_ms)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
ON CONFLICT (tenant, name) DO NOTHING RETURNING id

-- name: schedule_count :one
-- in: (tenant id64)
-- out: (count int64)
SELECT count(*) AS count FROM schedules WHERE tenant = $1

-- name: schedule_get :one
-- in: (id id64, tenant id64)
-- out: schedule_row
SELECT id, tenant, name, definition, created_ms, changed_ms, paused_ms, next_ms, due_ms, last_ms, last_item,
  last_execution, waiting_ms
FROM schedules WHERE id = $1 AND tenant = $2

-- Nobody else changes it until the transaction ends; on SQLite nobody could.
-- name: schedule_hold :one
-- in: (id id64, tenant id64)
-- out: schedule_row
-- dialect: sqlite
SELECT id, tenant, name, definition, created_ms, changed_ms, paused_ms, next_ms, due_ms, last_ms, last_item,
  last_execution, waiting_ms
FROM schedules WHERE id = $1 AND tenant = $2
-- dialect: postgres
SELECT id, tenant, name, definition, created_ms, changed_ms, paused_ms, next_ms, due_ms, last_ms, last_item,
  last_execution, waiting_ms
FROM schedules WHERE id = $1 AND tenant = $2 FOR UPDATE

-- name: schedule_find :one
-- in: (tenant id64, name text)
-- out: id_row
SELECT id FROM schedules WHERE tenant = $1 AND name = $2

-- name: schedule_page :many
-- in: (tenant id64, below id64, visit int64)
-- out: schedule_row
SELECT id, tenant, name, definition, created_ms, changed_ms, paused_ms, next_ms, due_ms, last_ms, last_item,
  last_execution, waiting_ms
FROM schedules WHERE tenant = $1 AND id < $2 ORDER BY id DESC LIMIT $3

-- name: schedule_change :must
-- in: (id id64, name text, definition json, changed_ms int64, paused_ms int64, next_ms int64, due_ms int64)
UPDATE schedules SET name = $2, definition = $3, changed_ms = $4, paused_ms = $5, next_ms = $6, due_ms = $7 WHERE id = $1

-- name: schedule_delete :must
-- in: (id id64, tenant id64)
DELETE FROM schedules WHERE id = $1 AND tenant = $2

-- Those that somebody is changing just now are left for the next time.
-- name: schedule_due :many
-- in: (now_ms int64, count int64)
-- out: schedule_row
-- dialect: sqlite
SELECT id, tenant, name, definition, created_ms, changed_ms, paused_ms, next_ms, due_ms, last_ms, last_item,
  last_execution, waiting_ms
FROM schedules WHERE due_ms > 0 AND due_ms <= $1 ORDER BY due_ms LIMIT $2
-- dialect: postgres
SELECT id, tenant, name, definition, created_ms, changed_ms, paused_ms, next_ms, due_ms, last_ms, last_item,
  last_execution, waiting_ms
FROM schedules WHERE due_ms > 0 AND due_ms <= $1 ORDER BY due_ms LIMIT $2 FOR UPDATE SKIP LOCKED

-- name: schedule_first_due :one
-- out: (due_ms int64)
SELECT coalesce(min(due_ms), 0) AS due_ms FROM schedules WHERE due_ms > 0

-- name: schedule_advance :batch
-- in: (id id64, next_ms int64, due_ms int64, last_ms int64, last_item id64, last_execution id64, waiting_ms int64)
UPDATE schedules SET next_ms = $2, due_ms = $3, last_ms = $4, last_item = $5, last_execution = $6, waiting_ms = $7
WHERE id = $1

-- Those with a fire that waits for the end of the execution before it.
-- name: schedule_waiting :many
-- in: (count int64)
-- out: schedule_row
-- dialect: sqlite
SELECT id, tenant, name, definition, created_ms, changed_ms, paused_ms, next_ms, due_ms, last_ms, last_item,
  last_execution, waiting_ms
FROM schedules WHERE waiting_ms > 0 ORDER BY id LIMIT $1
-- dialect: postgres
SELECT id, tenant, name, definition, created_ms, changed_ms, paused_ms, next_ms, due_ms, last_ms, last_item,
  last_execution, waiting_ms
FROM schedules WHERE waiting_ms > 0 ORDER BY id LIMIT $1 FOR UPDATE SKIP LOCKED

-- name: schedule_begun :batch
-- in: (id id64, last_execution id64)
UPDATE schedules SET last_execution = $2, waiting_ms = 0 WHERE id = $1

-- struct: schedule_fire_row (
--   schedule id64, at_ms int64, since_ms int64, done_ms int64, state int64, item id64, execution id64,
--   detail text?)

-- name: schedule_fire_insert :batch
-- in: schedule_fire_row
INSERT INTO schedule_fires (schedule, at_ms, since_ms, done_ms, state, item, execution, detail)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8)

-- What became of one that waited.
-- name: schedule_fire_settle :batch
-- in: (schedule id64, at_ms int64, done_ms int64, state int64, execution id64, detail text?)
UPDATE schedule_fires SET done_ms = $3, state = $4, execution = $5, detail = $6 WHERE schedule = $1 AND at_ms = $2

-- name: schedule_fire_page :many
-- in: (schedule id64, before_ms int64, count int64)
-- out: (at_ms int64, since_ms int64, done_ms int64, state int64, item id64, execution id64, detail text?)
SELECT at_ms, since_ms, done_ms, state, item, execution, detail
FROM schedule_fires WHERE schedule = $1 AND at_ms < $2 ORDER BY at_ms DESC LIMIT $3

-- name: schedule_fire_clear :many
-- in: upkeep_in
-- out: (schedule id64, at_ms int64)
DELETE FROM schedule_fires WHERE (schedule, at_ms) IN (
  SELECT schedule, at_ms FROM schedule_fires WHERE done_ms < $1 ORDER BY done_ms LIMIT $2)
RETURNING schedule, at_ms
