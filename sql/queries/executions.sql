-- Squads and executions. What memory holds of executions is written by primary key, in the queue's batches.

-- struct: squad_row (
--   id id64, tenant id64, name text, description text, status int64, config json?, version int64, created_ms int64,
--   updated_ms int64)
-- name: squad_insert :batch
-- in: squad_row
INSERT INTO squads (id, tenant, name, description, status, config, version, created_ms, updated_ms)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)

-- name: squad_get :one
-- in: id_row
-- out: squad_row
SELECT id, tenant, name, description, status, config, version, created_ms, updated_ms FROM squads WHERE id = $1

-- name: squad_page :many
-- in: (tenant id64, below id64, visit int64)
-- out: squad_row
SELECT id, tenant, name, description, status, config, version, created_ms, updated_ms
FROM squads WHERE tenant = $1 AND id < $2 ORDER BY id DESC LIMIT $3

-- struct: squad_change_row (
--   id id64, name text, description text, status int64, config json?, version int64, updated_ms int64)
-- name: squad_update :batch
-- in: squad_change_row
UPDATE squads SET name = $2, description = $3, status = $4, config = $5, version = $6, updated_ms = $7 WHERE id = $1

-- name: squad_paused_all :many
-- out: id_row
SELECT id FROM squads WHERE status = 1 ORDER BY id

-- struct: execution_row (
--   id id64, tenant id64, squad id64, task id64, name text, state int64, block int64, priority int64, paused bool,
--   claimed bool, attempt int64, attempts_max int64, backoff_ms int64, deadline_ms int64, retry_ms int64,
--   created_ms int64, started_ms int64, changed_ms int64, finished_ms int64, last_event int64, created_by text,
--   why text?)
-- name: execution_insert :batch
-- in: execution_row
INSERT INTO executions (id, tenant, squad, task, name, state, block, priority, paused, claimed, attempt, attempts_max,
  backoff_ms, deadline_ms, retry_ms, created_ms, started_ms, changed_ms, finished_ms, last_event, created_by, why)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22)

-- struct: execution_change_row (
--   id id64, state int64, block int64, paused bool, claimed bool, attempt int64, deadline_ms int64, retry_ms int64,
--   started_ms int64, changed_ms int64, finished_ms int64, last_event int64, why text?)
-- name: execution_update :batch
-- in: execution_change_row
UPDATE executions SET
  state = $2, block = $3, paused = $4, claimed = $5, attempt = $6, deadline_ms = $7, retry_ms = $8, started_ms = $9,
  changed_ms = $10, finished_ms = $11, last_event = $12, why = $13
WHERE id = $1

-- name: execution_live_all :many
-- out: execution_row
SELECT id, tenant, squad, task, name, state, block, priority, paused, claimed, attempt, attempts_max, backoff_ms,
  deadline_ms, retry_ms, created_ms, started_ms, changed_ms, finished_ms, last_event, created_by, why
FROM executions WHERE finished_ms = 0 ORDER BY id

-- name: execution_get :one
-- in: id_row
-- out: execution_row
SELECT id, tenant, squad, task, name, state, block, priority, paused, claimed, attempt, attempts_max, backoff_ms,
  deadline_ms, retry_ms, created_ms, started_ms, changed_ms, finished_ms, last_event, created_by, why
FROM executions WHERE id = $1

-- Newest first.
-- name: execution_page :many
-- in: (tenant id64, below id64, visit int64)
-- out: execution_row
SELECT id, tenant, squad, task, name, state, block, priority, paused, claimed, attempt, attempts_max, backoff_ms,
  deadline_ms, retry_ms, created_ms, started_ms, changed_ms, finished_ms, last_event, created_by, why
FROM executions WHERE tenant = $1 AND id < $2 ORDER BY id DESC LIMIT $3

-- name: execution_page_of_squad :many
-- in: (squad id64, below id64, visit int64)
-- out: execution_row
SELECT id, tenant, squad, task, name, state, block, priority, paused, claimed, attempt, attempts_max, backoff_ms,
  deadline_ms, retry_ms, created_ms, started_ms, changed_ms, finished_ms, last_event, created_by, why
FROM executions WHERE squad = $1 AND id < $2 ORDER BY id DESC LIMIT $3

-- name: execution_name :one
-- in: id_row
-- out: (name text)
SELECT name FROM executions WHERE id = $1

-- name: execution_live_of_task :many
-- in: (task id64)
-- out: id_row
SELECT id FROM executions WHERE task = $1 AND task > 0 AND finished_ms = 0 ORDER BY id

-- name: execution_live_of_project :many
-- in: (project id64)
-- out: id_row
SELECT e.id FROM tasks t CROSS JOIN executions e
WHERE t.project = $1 AND e.task = t.id AND e.task > 0 AND e.finished_ms = 0

-- struct: step_row (
--   execution id64, place int64, id id64, member id64, kind int64, name text, awaited text?, until_ms int64,
--   timeout_ms int64, attempts_max int64, optional bool, needs bytes?, input json?, state int64, progress int64,
--   signalled bool, item int64, attempt int64, agent text?, started_ms int64, finished_ms int64, error text?,
--   used json?, result json?, questions int64, phase int64)
-- name: step_insert :batch
-- in: step_row
INSERT INTO execution_steps (execution, place, id, member, kind, name, awaited, until_ms, timeout_ms, attempts_max,
  optional, needs, input, state, progress, signalled, item, attempt, agent, started_ms, finished_ms, error, used,
  result, questions, phase)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24,
  $25, $26)

-- What is NULL, and 0 among attempt and started_ms, stays as it is.
-- struct: step_change_row (
--   execution id64, place int64, state int64, progress int64, signalled bool, item int64, attempt int64, agent text?,
--   started_ms int64, finished_ms int64, error text?, used json?, result json?, questions int64)
-- name: step_update :batch
-- in: step_change_row
UPDATE execution_steps SET
  state = $3, progress = $4, signalled = $5, item = $6,
  attempt = CASE WHEN $7 = 0 THEN execution_steps.attempt ELSE $7 END,
  agent = coalesce($8, execution_steps.agent),
  started_ms = CASE WHEN $9 = 0 THEN execution_steps.started_ms ELSE $9 END,
  finished_ms = $10,
  error = coalesce($11, execution_steps.error),
  used = coalesce($12, execution_steps.used),
  result = coalesce($13, execution_steps.result),
  questions = $14
WHERE execution = $1 AND place = $2

-- What memory holds of a step, in the order of executions and places.
-- struct: step_live_row (
--   execution id64, id id64, member id64, kind int64, name text, awaited text?, until_ms int64, timeout_ms int64,
--   attempts_max int64, optional bool, needs bytes?, state int64, progress int64, signalled bool, item int64,
--   questions int64, phase int64)
-- name: step_live_all :many
-- out: step_live_row
SELECT s.execution, s.id, s.member, s.kind, s.name, s.awaited, s.until_ms, s.timeout_ms, s.attempts_max, s.optional,
  s.needs, s.state, s.progress, s.signalled, s.item, s.questions, s.phase
FROM executions e CROSS JOIN execution_steps s
WHERE e.finished_ms = 0 AND s.execution = e.id ORDER BY s.execution, s.place

-- name: step_live_of :many
-- in: id_row
-- out: step_live_row
SELECT execution, id, member, kind, name, awaited, until_ms, timeout_ms, attempts_max, optional, needs, state, progress,
  signalled, item, questions, phase
FROM execution_steps WHERE execution = $1 ORDER BY place

-- name: step_all_of :many
-- in: id_row
-- out: step_row
SELECT execution, place, id, member, kind, name, awaited, until_ms, timeout_ms, attempts_max, optional, needs, input,
  state, progress, signalled, item, attempt, agent, started_ms, finished_ms, error, used, result, questions, phase
FROM execution_steps WHERE execution = $1 ORDER BY place

-- What came of a step, at most so many characters of it.
-- name: step_result_get :one
-- in: (execution id64, place int64, characters int64)
-- out: (state int64, result text?, characters int64, error text?)
SELECT state, substr(result, 1, CAST($3 AS INTEGER)) AS result,
  CAST(coalesce(length(result), 0) AS BIGINT) AS characters, error
FROM execution_steps WHERE execution = $1 AND place = $2

-- name: step_input_get :one
-- in: (execution id64, place int64)
-- out: (input json?)
SELECT input FROM execution_steps WHERE execution = $1 AND place = $2

-- struct: execution_event_row (
--   execution id64, first int64, tenant id64, squad id64, seq int64, at_ms int64, events bytes)
-- name: execution_event_insert :batch
-- in: execution_event_row
INSERT INTO execution_events (execution, first, tenant, squad, seq, at_ms, events)
VALUES ($1, $2, $3, $4, $5, $6, $7)

-- From the row that holds event $2, or begins behind it.
-- name: execution_event_from :many
-- in: (execution id64, number int64, count int64)
-- out: execution_event_row
SELECT execution, first, tenant, squad, seq, at_ms, events FROM execution_events
WHERE execution = $1 AND first >= coalesce(
  (SELECT max(b.first) FROM execution_events b WHERE b.execution = $1 AND b.first <= $2), 0)
ORDER BY first LIMIT $3

-- name: execution_event_of_squad :many
-- in: (squad id64, seq int64, count int64)
-- out: execution_event_row
SELECT execution, first, tenant, squad, seq, at_ms, events FROM execution_events
WHERE squad = $1 AND seq >= $2 ORDER BY seq, execution LIMIT $3

-- name: execution_event_since :many
-- in: (seq int64, count int64)
-- out: execution_event_row
SELECT execution, first, tenant, squad, seq, at_ms, events FROM execution_events
WHERE seq > $1 ORDER BY seq, execution LIMIT $2

-- name: execution_event_last :one
-- out: (seq int64)
SELECT coalesce(max(seq), 0) AS seq FROM execution_events

-- Of a squad's events some of this batch or before it are deleted in this transaction.
-- name: execution_events_gone_put :exec
-- in: (squad id64, seq int64)
INSERT INTO execution_events_gone (squad, seq) VALUES ($1, $2)
ON CONFLICT (squad) DO UPDATE SET seq = excluded.seq WHERE execution_events_gone.seq < excluded.seq

-- name: execution_events_gone_get :one
-- in: id_row
-- out: (seq int64)
SELECT seq FROM execution_events_gone WHERE squad = $1
