-- What realism is judged by: each cycle as of its highest attempt that got whole.

-- name: sim_behaviour_cycles :many
-- in: (run id64)
-- out: (began_ms int64, agents int64)
SELECT c.began_ms, c.agents
FROM sim_cycles c
WHERE c.run = $1
  AND c.attempt = (SELECT max(d.attempt) FROM sim_cycles d WHERE d.run = c.run AND d.cycle = c.cycle)
ORDER BY c.cycle

-- Sessions that did not keep items have -1.
-- name: sim_behaviour_sessions :many
-- in: (run id64)
-- out: (agent int64, outcome text, started_ms int64, items real)
-- dialect: sqlite
SELECT s.agent, s.outcome, s.started_ms, coalesce(CAST(json_extract(s.kept, '$.items') AS REAL), -1.0) AS items
FROM sim_cycles c JOIN sim_sessions s ON s.run = c.run AND s.cycle = c.cycle AND s.attempt = c.attempt
WHERE c.run = $1 AND s.kind = 'session'
  AND c.attempt = (SELECT max(d.attempt) FROM sim_cycles d WHERE d.run = c.run AND d.cycle = c.cycle)
ORDER BY s.cycle, s.agent, s.number
-- dialect: postgres
SELECT s.agent, s.outcome, s.started_ms, coalesce(CAST(CAST(s.kept AS json) ->> 'items' AS DOUBLE PRECISION), -1.0) AS items
FROM sim_cycles c JOIN sim_sessions s ON s.run = c.run AND s.cycle = c.cycle AND s.attempt = c.attempt
WHERE c.run = $1 AND s.kind = 'session'
  AND c.attempt = (SELECT max(d.attempt) FROM sim_cycles d WHERE d.run = c.run AND d.cycle = c.cycle)
ORDER BY s.cycle, s.agent, s.number
