-- Runs, and what is there of one.

-- struct: sim_run_row (run id64, name text, title text, seed text, scenario text, scenario_hash int64, population text,
--   target text, version text, agents int64, attempts int64, started_ms int64, is_simulated bool)

-- name: sim_run_insert :exec
-- in: sim_run_row
INSERT INTO sim_runs (run, name, title, seed, scenario, scenario_hash, population, target, version, agents, attempts,
  started_ms, is_simulated)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)

-- name: sim_run_get :one
-- in: (run id64)
-- out: sim_run_row
SELECT run, name, title, seed, scenario, scenario_hash, population, target, version, agents, attempts, started_ms,
  is_simulated
FROM sim_runs WHERE run = $1

-- name: sim_run_attempt :must
-- in: (run id64, attempts int64)
UPDATE sim_runs SET attempts = $2 WHERE run = $1

-- The highest cycle that an attempt brought to its end, -1 when there is none.
-- name: sim_run_whole :one
-- in: (run id64, attempt int64)
-- out: (cycle int64)
SELECT coalesce(max(cycle), -1) AS cycle FROM sim_cycles WHERE run = $1 AND attempt = $2

-- Whose sessions an attempt brought to their end in cycles after that.
-- name: sim_run_ended :many
-- in: (run id64, attempt int64, cycle int64)
-- out: (agent int64)
SELECT agent FROM sim_sessions WHERE run = $1 AND attempt = $2 AND cycle > $3 AND kind = 'session' ORDER BY agent

-- The highest cycle with a record, -1 when there is none.
-- name: sim_run_last_cycle :one
-- in: (run id64)
-- out: (cycle int64)
SELECT cycle FROM (
  SELECT coalesce(max(cycle), -1) AS cycle FROM sim_sessions WHERE run = $1
  UNION ALL SELECT coalesce(max(cycle), -1) AS cycle FROM sim_cycles WHERE run = $1) AS seen
ORDER BY cycle DESC LIMIT 1
