-- What a report says of a run. A cycle is what its rows of the highest attempt that got whole say: one that was cut off
-- has no row among sim_cycles, and one that was run again is counted once.

-- name: sim_report_cycles :many
-- in: (run id64)
-- out: (cycle int64, attempt int64, replay bool, began_ms int64, took_ms int64, agents int64, active int64,
--   failures int64, requests int64)
SELECT c.cycle, c.attempt, c.replay, c.began_ms, c.took_ms, c.agents, c.active, c.failures, c.requests
FROM sim_cycles c
WHERE c.run = $1
  AND c.attempt = (SELECT max(d.attempt) FROM sim_cycles d WHERE d.run = c.run AND d.cycle = c.cycle)
ORDER BY c.cycle

-- name: sim_report_sessions :many
-- in: (run id64)
-- out: (cycle int64, kind text, outcome text, sessions int64, calls int64, failed_calls int64)
SELECT s.cycle, s.kind, s.outcome, count(*) AS sessions, CAST(sum(s.calls) AS BIGINT) AS calls,
  CAST(sum(s.failed_calls) AS BIGINT) AS failed_calls
FROM (SELECT run, cycle, max(attempt) AS attempt FROM sim_cycles WHERE run = $1 GROUP BY run, cycle) c
JOIN sim_sessions s ON s.run = c.run AND s.cycle = c.cycle AND s.attempt = c.attempt
GROUP BY s.cycle, s.kind, s.outcome
ORDER BY s.cycle, s.kind, s.outcome

-- name: sim_report_failures :many
-- in: (run id64, count int64)
-- out: (failure text, sessions int64, first_cycle int64, last_cycle int64)
SELECT s.failure, count(*) AS sessions, min(s.cycle) AS first_cycle, max(s.cycle) AS last_cycle
FROM (SELECT run, cycle, max(attempt) AS attempt FROM sim_cycles WHERE run = $1 GROUP BY run, cycle) c
JOIN sim_sessions s ON s.run = c.run AND s.cycle = c.cycle AND s.attempt = c.attempt
WHERE s.failure IS NOT NULL
GROUP BY s.failure
ORDER BY sessions DESC, s.failure
LIMIT $2

-- Agents are what a comparison of cohorts draws from: sessions of one agent are alike.
-- name: sim_report_cohorts :many
-- in: (run id64)
-- out: (cohort text, agent int64, outcome text, sessions int64, calls int64)
SELECT s.cohort, s.agent, s.outcome, count(*) AS sessions, CAST(sum(s.calls) AS BIGINT) AS calls
FROM (SELECT run, cycle, max(attempt) AS attempt FROM sim_cycles WHERE run = $1 GROUP BY run, cycle) c
JOIN sim_sessions s ON s.run = c.run AND s.cycle = c.cycle AND s.attempt = c.attempt
WHERE s.kind = 'session'
GROUP BY s.cohort, s.agent, s.outcome
ORDER BY s.cohort, s.agent, s.outcome

-- One value of what sessions kept; $2 is its name.
-- name: sim_report_kept :many
-- in: (run id64, name text)
-- out: (cohort text, agent int64, sessions int64, total real)
-- dialect: sqlite
SELECT cohort, agent, count(*) AS sessions, sum(value) AS total
FROM (SELECT s.cohort, s.agent, CAST(json_extract(s.kept, '$."' || $2 || '"') AS REAL) AS value
  FROM (SELECT run, cycle, max(attempt) AS attempt FROM sim_cycles WHERE run = $1 GROUP BY run, cycle) c
  JOIN sim_sessions s ON s.run = c.run AND s.cycle = c.cycle AND s.attempt = c.attempt
  WHERE s.kind = 'session') AS v
WHERE value IS NOT NULL
GROUP BY cohort, agent
ORDER BY cohort, agent
-- dialect: postgres
SELECT cohort, agent, count(*) AS sessions, sum(value) AS total
FROM (SELECT s.cohort, s.agent, CAST(CAST(s.kept AS json) ->> $2 AS DOUBLE PRECISION) AS value
  FROM (SELECT run, cycle, max(attempt) AS attempt FROM sim_cycles WHERE run = $1 GROUP BY run, cycle) c
  JOIN sim_sessions s ON s.run = c.run AND s.cycle = c.cycle AND s.attempt = c.attempt
  WHERE s.kind = 'session') AS v
WHERE value IS NOT NULL
GROUP BY cohort, agent
ORDER BY cohort, agent
