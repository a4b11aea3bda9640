-- Archives of executions, and counts of days: src/archive/.

-- struct: archive_state_row (
--   id id64, tenant id64, state int64, from_ms int64, to_ms int64, held_ms int64, file text?, executions int64,
--   restored int64, first id64, last id64, bytes int64, plain_bytes int64, created_ms int64)
-- name: archive_insert :batch
-- in: archive_state_row
INSERT INTO archives (id, tenant, state, from_ms, to_ms, held_ms, file, executions, restored, first, last, bytes,
  plain_bytes, created_ms)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)

-- name: archive_get :one
-- in: id_row
-- out: archive_state_row
SELECT id, tenant, state, from_ms, to_ms, held_ms, file, executions, restored, first, last, bytes, plain_bytes,
  created_ms
FROM archives WHERE id = $1

-- Nobody else changes it until the transaction ends; on SQLite nobody could.
-- name: archive_hold :one
-- in: id_row
-- out: (id id64)
-- dialect: sqlite
SELECT id FROM archives WHERE id = $1
-- dialect: postgres
SELECT id FROM archives WHERE id = $1 FOR UPDATE

-- name: archive_page :many
-- in: (tenant id64, below id64, visit int64)
-- out: archive_state_row
SELECT id, tenant, state, from_ms, to_ms, held_ms, file, executions, restored, first, last, bytes, plain_bytes,
  created_ms
FROM archives WHERE tenant = $1 AND id < $2 ORDER BY id DESC LIMIT $3

-- Those that may have an execution, the newest first.
-- name: archive_with :many
-- in: (tenant id64, execution id64)
-- out: archive_state_row
SELECT id, tenant, state, from_ms, to_ms, held_ms, file, executions, restored, first, last, bytes, plain_bytes,
  created_ms
FROM archives WHERE tenant = $1 AND last >= $2 AND first <= $2 AND state BETWEEN 1 AND 3 ORDER BY last, id DESC

-- The first of those that are not settled.
-- name: archive_open :one
-- out: archive_state_row
SELECT id, tenant, state, from_ms, to_ms, held_ms, file, executions, restored, first, last, bytes, plain_bytes,
  created_ms
FROM archives WHERE state <> 2 ORDER BY id LIMIT 1

-- name: archive_set :batch
-- in: (id id64, state int64, file text?, executions int64, first id64, last id64, bytes int64, plain_bytes int64)
UPDATE archives SET state = $2, file = $3, executions = $4, first = $5, last = $6, bytes = $7, plain_bytes = $8
WHERE id = $1

-- name: archive_set_state :batch
-- in: (id id64, state int64)
UPDATE archives SET state = $2 WHERE id = $1

-- name: archive_count_restored :batch
-- in: (id id64, more int64)
UPDATE archives SET restored = archives.restored + $2 WHERE id = $1

-- name: archive_delete :batch
-- in: id_row
DELETE FROM archives WHERE id = $1

-- Is what ended then being moved? It must not come back to life meanwhile.
-- name: archive_moves :one
-- in: (tenant id64, finished_ms int64)
-- out: (moves bool)
SELECT count(*) > 0 AS moves FROM archives
WHERE state <> 2 AND state < 2 AND tenant = $1 AND from_ms <= $2 AND to_ms > $2

-- ---- what there is to archive ----

-- struct: archive_wish_row (kind int64, tenant id64, before_ms int64)
-- name: archive_wish_put :batch
-- in: archive_wish_row
INSERT INTO archive_wishes (kind, tenant, before_ms) VALUES ($1, $2, $3)
ON CONFLICT (kind, tenant) DO UPDATE SET before_ms = excluded.before_ms
WHERE archive_wishes.before_ms < excluded.before_ms

-- name: archive_wish_first :one
-- out: archive_wish_row
SELECT kind, tenant, before_ms FROM archive_wishes ORDER BY kind, tenant LIMIT 1

-- name: archive_wish_done :batch
-- in: archive_wish_row
DELETE FROM archive_wishes WHERE kind = $1 AND tenant = $2 AND before_ms = $3

-- The oldest execution of a tenant, or of any (0), that ended before then and was not restored at that time or later.
-- name: archive_oldest :one
-- in: (tenant id64, before_ms int64, held_ms int64)
-- out: (tenant id64, finished_ms int64)
SELECT o.tenant, o.finished_ms FROM (
  SELECT t.id AS tenant, (
    SELECT e.finished_ms FROM executions e
    WHERE e.tenant = t.id AND e.finished_ms > 0 AND e.finished_ms < $2 AND NOT EXISTS (
      SELECT 1 FROM archive_restored r WHERE r.execution = e.id AND r.restored_ms >= $3)
    ORDER BY e.finished_ms LIMIT 1) AS finished_ms
  FROM tenants t WHERE $1 = 0 OR t.id = $1) AS o
WHERE o.finished_ms > 0 LIMIT 1

-- name: archive_ended :many
-- in: (tenant id64, from_ms int64, to_ms int64, held_ms int64)
-- out: id_row
SELECT e.id FROM executions e
WHERE e.tenant = $1 AND e.finished_ms > 0 AND e.finished_ms >= $2 AND e.finished_ms < $3 AND NOT EXISTS (
  SELECT 1 FROM archive_restored r WHERE r.execution = e.id AND r.restored_ms >= $4)

-- ---- what is moved ----

-- struct: archive_gone_row (id id64, tenant id64, from_ms int64, to_ms int64)
-- name: archive_delete_steps :batch
-- in: archive_gone_row
DELETE FROM execution_steps WHERE execution = $1 AND EXISTS (
  SELECT 1 FROM executions e WHERE e.id = $1 AND e.tenant = $2 AND e.finished_ms >= $3 AND e.finished_ms < $4)

-- name: archive_delete_events :batch
-- in: archive_gone_row
DELETE FROM execution_events WHERE execution = $1 AND EXISTS (
  SELECT 1 FROM executions e WHERE e.id = $1 AND e.tenant = $2 AND e.finished_ms >= $3 AND e.finished_ms < $4)

-- name: archive_delete_executions :batch
-- in: archive_gone_row
DELETE FROM executions WHERE id = $1 AND tenant = $2 AND finished_ms >= $3 AND finished_ms < $4

-- struct: archive_restored_row (execution id64, archive id64, restored_ms int64)
-- name: archive_restored_insert :batch
-- in: archive_restored_row
INSERT INTO archive_restored (execution, archive, restored_ms) VALUES ($1, $2, $3)

-- name: archive_restored_get :one
-- in: (execution id64, archive id64)
-- out: (restored_ms int64)
SELECT restored_ms FROM archive_restored WHERE execution = $1 AND archive = $2

-- name: archive_restored_all :many
-- in: id_row
-- out: (execution id64)
SELECT execution FROM archive_restored WHERE archive = $1

-- Notes of archives that are gone, when they hold nothing back any more.
-- name: archive_restored_clear :many
-- in: upkeep_in
-- out: (execution id64)
DELETE FROM archive_restored WHERE (execution, archive) IN (
  SELECT r.execution, r.archive FROM archive_restored r
  WHERE r.restored_ms < $1 AND NOT EXISTS (SELECT 1 FROM archives a WHERE a.id = r.archive) LIMIT $2)
RETURNING execution

-- ---- days ----

-- A tenant of which not all is counted that ended before then.
-- name: squad_days_due :one
-- in: (before_ms int64)
-- out: (tenant id64, until_ms int64)
SELECT t.id AS tenant, coalesce(c.until_ms, 0) AS until_ms
FROM tenants t LEFT JOIN squad_days_counted c ON c.tenant = t.id
WHERE coalesce(c.until_ms, 0) < $1 ORDER BY t.id LIMIT 1

-- name: squad_days_until :one
-- in: id_row
-- out: (until_ms int64)
SELECT until_ms FROM squad_days_counted WHERE tenant = $1

-- name: squad_days_add :exec
-- in: (tenant id64, from_ms int64, to_ms int64)
INSERT INTO squad_days (squad, day_ms, tenant, completed, failed, cancelled, run_ms)
SELECT e.squad, (e.finished_ms / 86400000) * 86400000, e.tenant, count(CASE WHEN e.state = 5 THEN 1 END),
  count(CASE WHEN e.state = 6 THEN 1 END), count(CASE WHEN e.state = 7 THEN 1 END),
  sum(CASE WHEN e.started_ms > 0 THEN e.finished_ms - e.started_ms ELSE 0 END)
FROM executions e
WHERE e.tenant = $1 AND e.finished_ms > 0 AND e.finished_ms >= $2 AND e.finished_ms < $3
GROUP BY e.squad, (e.finished_ms / 86400000) * 86400000, e.tenant
ON CONFLICT (squad, day_ms) DO UPDATE SET completed = squad_days.completed + excluded.completed,
  failed = squad_days.failed + excluded.failed, cancelled = squad_days.cancelled + excluded.cancelled,
  run_ms = squad_days.run_ms + excluded.run_ms

-- name: squad_days_counted_put :batch
-- in: (tenant id64, until_ms int64)
INSERT INTO squad_days_counted (tenant, until_ms) VALUES ($1, $2)
ON CONFLICT (tenant) DO UPDATE SET until_ms = excluded.until_ms WHERE squad_days_counted.until_ms < excluded.until_ms

-- Newest first.
-- name: squad_days_page :many
-- in: (squad id64, below_ms int64, count int64)
-- out: (day_ms int64, tenant id64, completed int64, failed int64, cancelled int64, run_ms int64)
SELECT day_ms, tenant, completed, failed, cancelled, run_ms FROM squad_days
WHERE squad = $1 AND day_ms < $2 ORDER BY day_ms DESC LIMIT $3
