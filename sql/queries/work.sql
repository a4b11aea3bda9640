-- The work queue. Rows are written by primary key only, in batches, by the process that owns the slots.

-- struct: queue_row (id id64, tenant id64, type text, team text)
-- struct: work_live_row (
--   id id64, tenant id64, queue id64, state int64, priority int64, created_ms int64, changed_ms int64,
--   run_at_ms int64, ready_ms int64, deadline_ms int64, lease_ms int64, lease_until_ms int64,
--   attempt int64, failures int64, max_attempts int64, backoff_kind int64, backoff_base_ms int64,
--   backoff_max_ms int64, progress int64, token_epoch int64, token_random int64, key_hash int64,
--   outcome int64, assignee text?, created_by text?, claimed_by text?, note text?, depends bytes?,
--   history bytes?)
-- struct: work_body_row (
--   id id64, tenant id64, key text?, title text?, description text?, payload json?, labels json?,
--   trace text?, estimated_ms int64, points real)
-- struct: work_done_row (
--   id id64, tenant id64, queue id64, state int64, priority int64, created_ms int64, finished_ms int64,
--   run_at_ms int64, ready_ms int64, deadline_ms int64, lease_ms int64, attempt int64, failures int64,
--   max_attempts int64, backoff_kind int64, backoff_base_ms int64, backoff_max_ms int64,
--   progress int64, token_epoch int64, token_random int64, key_hash int64, outcome int64, cause id64,
--   assignee text?, created_by text?, claimed_by text?, note text?, depends bytes?, felled bytes?,
--   history bytes?, error text?, used json?, result json?)
-- struct: id_row (id id64)
-- struct: event_row (seq id64, at_ms int64, events bytes)
-- struct: idempotency_row (id id64, tenant id64, route text, key text, body_hash bytes, status int64, response json, created_ms int64)

-- name: queue_insert :batch
-- in: queue_row
INSERT INTO queues (id, tenant, type, team) VALUES ($1, $2, $3, $4)

-- name: queue_all :many
-- out: queue_row
SELECT id, tenant, type, team FROM queues ORDER BY id

-- name: queue_get :one
-- in: id_row
-- out: queue_row
SELECT id, tenant, type, team FROM queues WHERE id = $1

-- name: work_live_insert :batch
-- in: work_live_row
INSERT INTO work_live (id, tenant, queue, state, priority, created_ms, changed_ms, run_at_ms, ready_ms, deadline_ms,
  lease_ms, lease_until_ms, attempt, failures, max_attempts, backoff_kind, backoff_base_ms,
  backoff_max_ms, progress, token_epoch, token_random, key_hash, outcome, assignee, created_by,
  claimed_by, note, depends, history)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24, $25, $26, $27, $28, $29)

-- struct: work_change_row (
--   id id64, state int64, changed_ms int64, run_at_ms int64, ready_ms int64, lease_ms int64,
--   lease_until_ms int64, attempt int64, failures int64, progress int64, token_epoch int64,
--   token_random int64, outcome int64, claimed_by text?, note text?, depends bytes?, history bytes?)
-- name: work_live_update :batch
-- in: work_change_row
UPDATE work_live SET
  state = $2, changed_ms = $3, run_at_ms = $4, ready_ms = $5, lease_ms = $6, lease_until_ms = $7,
  attempt = $8, failures = $9, progress = $10, token_epoch = $11, token_random = $12, outcome = $13,
  claimed_by = $14, note = $15, depends = $16, history = $17
WHERE id = $1

-- name: work_live_delete :batch
-- in: id_row
DELETE FROM work_live WHERE id = $1

-- name: work_live_all :many
-- out: work_live_row
SELECT id, tenant, queue, state, priority, created_ms, changed_ms, run_at_ms, ready_ms, deadline_ms,
  lease_ms, lease_until_ms, attempt, failures, max_attempts, backoff_kind, backoff_base_ms,
  backoff_max_ms, progress, token_epoch, token_random, key_hash, outcome, assignee, created_by,
  claimed_by, note, depends, history
FROM work_live ORDER BY id

-- name: work_live_get :one
-- in: id_row
-- out: work_live_row
SELECT id, tenant, queue, state, priority, created_ms, changed_ms, run_at_ms, ready_ms, deadline_ms,
  lease_ms, lease_until_ms, attempt, failures, max_attempts, backoff_kind, backoff_base_ms,
  backoff_max_ms, progress, token_epoch, token_random, key_hash, outcome, assignee, created_by,
  claimed_by, note, depends, history
FROM work_live WHERE id = $1

-- name: work_body_insert :batch
-- in: work_body_row
INSERT INTO work_body (id, tenant, key, title, description, payload, labels, trace, estimated_ms, points)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)

-- name: work_body_get :one
-- in: id_row
-- out: work_body_row
SELECT id, tenant, key, title, description, payload, labels, trace, estimated_ms, points
FROM work_body WHERE id = $1

-- name: work_done_insert :batch
-- in: work_done_row
INSERT INTO work_done (id, tenant, queue, state, priority, created_ms, finished_ms, run_at_ms, ready_ms, deadline_ms,
  lease_ms, attempt, failures, max_attempts, backoff_kind, backoff_base_ms, backoff_max_ms, progress,
  token_epoch, token_random, key_hash, outcome, cause, assignee, created_by, claimed_by, note,
  depends, felled, history, error, used, result)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24, $25, $26, $27, $28, $29, $30, $31, $32, $33)

-- name: work_done_delete :batch
-- in: id_row
DELETE FROM work_done WHERE id = $1

-- name: work_done_get :one
-- in: id_row
-- out: work_done_row
SELECT id, tenant, queue, state, priority, created_ms, finished_ms, run_at_ms, ready_ms, deadline_ms,
  lease_ms, attempt, failures, max_attempts, backoff_kind, backoff_base_ms, backoff_max_ms, progress,
  token_epoch, token_random, key_hash, outcome, cause, assignee, created_by, claimed_by, note,
  depends, felled, history, error, used, result
FROM work_done WHERE id = $1

-- Finished items below an id, newest first, of all tenants: the caller picks.
-- struct: work_done_summary (
--   id id64, tenant id64, queue id64, state int64, priority int64, created_ms int64, finished_ms int64,
--   attempt int64, progress int64, assignee text?, claimed_by text?, error text?)
-- name: work_done_page :many
-- in: (below id64, visit int64)
-- out: work_done_summary
SELECT id, tenant, queue, state, priority, created_ms, finished_ms, attempt, progress, assignee,
  claimed_by, error
FROM work_done
WHERE id < $1 ORDER BY id DESC LIMIT $2

-- name: work_highest :one
-- out: (live int64, done int64)
SELECT coalesce((SELECT max(id) FROM work_live), 0) AS live, coalesce((SELECT max(id) FROM work_done), 0) AS done

-- name: event_insert :batch
-- in: event_row
INSERT INTO work_events (seq, at_ms, events) VALUES ($1, $2, $3)

-- name: event_from :many
-- in: (from_seq int64, count int64)
-- out: event_row
SELECT seq, at_ms, events FROM work_events WHERE seq >= $1 ORDER BY seq LIMIT $2

-- name: event_last :one
-- out: (seq int64)
SELECT coalesce(max(seq), 0) AS seq FROM work_events

-- name: event_oldest :one
-- in: (from_seq int64)
-- out: (seq int64, at_ms int64)
SELECT seq, at_ms FROM work_events WHERE seq >= $1 ORDER BY seq LIMIT 1

-- name: event_trim :exec
-- in: (from_seq int64, below_seq int64, before_ms int64)
DELETE FROM work_events WHERE seq >= $1 AND seq < $2 AND at_ms < $3

-- name: idempotency_insert :batch
-- in: idempotency_row
INSERT INTO idempotency (id, tenant, route, key, body_hash, status, response, created_ms)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8)

-- name: idempotency_get :one
-- in: id_row
-- out: idempotency_row
SELECT id, tenant, route, key, body_hash, status, response, created_ms FROM idempotency WHERE id = $1

-- name: idempotency_delete :batch
-- in: id_row
DELETE FROM idempotency WHERE id = $1

-- name: idempotency_oldest :one
-- in: (from_ms int64)
-- out: (created_ms int64)
SELECT created_ms FROM idempotency WHERE created_ms >= $1 ORDER BY created_ms LIMIT 1

-- name: idempotency_trim :exec
-- in: (from_ms int64, before_ms int64, count int64)
DELETE FROM idempotency WHERE id IN
  (SELECT id FROM idempotency WHERE created_ms >= $1 AND created_ms < $2 ORDER BY created_ms LIMIT $3)
