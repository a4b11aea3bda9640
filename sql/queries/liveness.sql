-- Whether agents are alive: src/directory/liveness.h has the rules. An ordinary beat writes no column of an index.

-- struct: liveness_row (agent id64, tenant id64, status int64, since_ms int64, flips int64, beat_ms int64, streak int64,
--   check_ms int64)

-- name: liveness_get :one
-- in: id_row
-- out: liveness_row
SELECT agent, tenant, status, since_ms, flips, beat_ms, streak, check_ms FROM liveness WHERE agent = $1

-- Nobody else changes it until the transaction ends; on SQLite nobody could.
-- name: liveness_hold :one
-- in: id_row
-- out: liveness_row
-- dialect: sqlite
SELECT agent, tenant, status, since_ms, flips, beat_ms, streak, check_ms FROM liveness WHERE agent = $1
-- dialect: postgres
SELECT agent, tenant, status, since_ms, flips, beat_ms, streak, check_ms FROM liveness WHERE agent = $1 FOR UPDATE

-- Those it is time to look at. What another transaction holds has just beaten, or is looked at already.
-- name: liveness_due :many
-- in: (now_ms int64, count int64)
-- out: liveness_row
-- dialect: sqlite
SELECT agent, tenant, status, since_ms, flips, beat_ms, streak, check_ms FROM liveness
WHERE check_ms > 0 AND check_ms <= $1 ORDER BY check_ms LIMIT $2
-- dialect: postgres
SELECT agent, tenant, status, since_ms, flips, beat_ms, streak, check_ms FROM liveness
WHERE check_ms > 0 AND check_ms <= $1 ORDER BY check_ms LIMIT $2 FOR UPDATE SKIP LOCKED

-- An ordinary beat.
-- name: liveness_beat :batch
-- in: (agent id64, beat_ms int64, streak int64)
UPDATE liveness SET beat_ms = $2, streak = $3 WHERE agent = $1

-- The sweep found a beat since, and looks again later.
-- name: liveness_move :batch
-- in: (agent id64, check_ms int64)
UPDATE liveness SET check_ms = $2 WHERE agent = $1

-- A flip.
-- name: liveness_flip :batch
-- in: (agent id64, status int64, since_ms int64, flips int64, beat_ms int64, streak int64, check_ms int64)
UPDATE liveness SET status = $2, since_ms = $3, flips = $4, beat_ms = $5, streak = $6, check_ms = $7 WHERE agent = $1

-- Who hears of a flip of it.
-- name: agent_face :one
-- in: id_row
-- out: (id id64, visibility int64, deleted_ms int64)
SELECT id, visibility, deleted_ms FROM agents WHERE id = $1

-- struct: liveness_log_row (id id64, agent id64, was int64, status int64, at_ms int64)

-- name: liveness_log_insert :batch
-- in: liveness_log_row
INSERT INTO liveness_log (id, agent, was, status, at_ms) VALUES ($1, $2, $3, $4, $5)

-- Newest first.
-- name: liveness_log_of :many
-- in: (agent id64, from_ms int64, count int64)
-- out: liveness_log_row
SELECT id, agent, was, status, at_ms FROM liveness_log WHERE agent = $1 AND at_ms >= $2 ORDER BY at_ms DESC LIMIT $3
