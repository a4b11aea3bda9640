-- What the recorder writes while a run is under way.

-- struct: sim_cycle_row (run id64, cycle int64, attempt int64, replay bool, is_simulated bool, began_ms int64,
--   took_ms int64, agents int64, active int64, failures int64, requests int64)

-- struct: sim_session_row (run id64, cycle int64, attempt int64, agent int64, kind text, number int64, replay bool,
--   is_simulated bool, agent_id text, cohort text, outcome text, failure text?, started_ms int64, ended_ms int64,
--   calls int64, failed_calls int64, kept json)

-- struct: sim_event_row (run id64, cycle int64, attempt int64, agent int64, kind text, number int64, seq int64,
--   replay bool, is_simulated bool, at_ms int64, type text, payload json)

-- name: sim_cycle_insert :batch
-- in: sim_cycle_row
INSERT INTO sim_cycles (run, cycle, attempt, replay, is_simulated, began_ms, took_ms, agents, active, failures, requests)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)

-- name: sim_session_insert :batch
-- in: sim_session_row
INSERT INTO sim_sessions (run, cycle, attempt, agent, kind, number, replay, is_simulated, agent_id, cohort, outcome,
  failure, started_ms, ended_ms, calls, failed_calls, kept)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)

-- name: sim_event_insert :batch
-- in: sim_event_row
INSERT INTO sim_events (run, cycle, attempt, agent, kind, number, seq, replay, is_simulated, at_ms, type, payload)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)

-- name: sim_session_from :many
-- in: (run id64, cycle int64)
-- out: sim_session_row
SELECT run, cycle, attempt, agent, kind, number, replay, is_simulated, agent_id, cohort, outcome, failure, started_ms,
  ended_ms, calls, failed_calls, kept
FROM sim_sessions WHERE run = $1 AND cycle >= $2 ORDER BY run, cycle, attempt, agent, kind, number

-- name: sim_event_from :many
-- in: (run id64, cycle int64)
-- out: sim_event_row
SELECT run, cycle, attempt, agent, kind, number, seq, replay, is_simulated, at_ms, type, payload
FROM sim_events WHERE run = $1 AND cycle >= $2 ORDER BY run, cycle, attempt, agent, kind, number, seq

-- name: sim_cycle_from :many
-- in: (run id64, cycle int64)
-- out: sim_cycle_row
SELECT run, cycle, attempt, replay, is_simulated, began_ms, took_ms, agents, active, failures, requests
FROM sim_cycles WHERE run = $1 AND cycle >= $2 ORDER BY run, cycle, attempt
