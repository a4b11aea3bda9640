-- Background jobs: who runs each, since when without a gap, and how it went. All times by the clock of the store.

-- struct: job_row (id id64, holder id64, lease_until_ms int64, since_ms int64, began_ms int64, ended_ms int64, runs int64,
--   failures int64, result text, now_ms int64)

-- name: job_all :many
-- out: job_row
-- dialect: sqlite
SELECT id, holder, lease_until_ms, since_ms, began_ms, ended_ms, runs, failures, result,
  CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER) AS now_ms
FROM jobs
-- dialect: postgres
SELECT id, holder, lease_until_ms, since_ms, began_ms, ended_ms, runs, failures, result,
  (extract(epoch FROM clock_timestamp()) * 1000)::bigint AS now_ms
FROM jobs

-- Begins a run, unless another process holds the lease: then there is no row. A gap is a time since the last run ended
-- that is longer than gap_ms; or the clock was set back.
-- name: job_begin :one
-- in: (id id64, holder id64, lease_ms int64, gap_ms int64, exclusive bool)
-- out: (since_ms int64, now_ms int64)
-- dialect: sqlite
INSERT INTO jobs (id, holder, lease_until_ms, since_ms, began_ms, ended_ms, runs, failures, result)
SELECT $1, $2, n.now_ms + $3, n.now_ms, n.now_ms, 0, 0, 0, ''
FROM (SELECT CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER) AS now_ms) AS n WHERE true
ON CONFLICT (id) DO UPDATE SET holder = excluded.holder, lease_until_ms = excluded.lease_until_ms,
  began_ms = excluded.began_ms,
  since_ms = CASE WHEN jobs.ended_ms >= excluded.began_ms - $4 AND jobs.since_ms <= excluded.began_ms
    THEN jobs.since_ms ELSE excluded.began_ms END
WHERE $5 OR jobs.holder = excluded.holder OR jobs.lease_until_ms <= excluded.began_ms
RETURNING since_ms, began_ms AS now_ms
-- dialect: postgres
INSERT INTO jobs (id, holder, lease_until_ms, since_ms, began_ms, ended_ms, runs, failures, result)
SELECT $1, $2, n.now_ms + $3, n.now_ms, n.now_ms, 0, 0, 0, ''
FROM (SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint AS now_ms) AS n
ON CONFLICT (id) DO UPDATE SET holder = excluded.holder, lease_until_ms = excluded.lease_until_ms,
  began_ms = excluded.began_ms,
  since_ms = CASE WHEN jobs.ended_ms >= excluded.began_ms - $4 AND jobs.since_ms <= excluded.began_ms
    THEN jobs.since_ms ELSE excluded.began_ms END
WHERE $5 OR jobs.holder = excluded.holder OR jobs.lease_until_ms <= excluded.began_ms
RETURNING since_ms, began_ms AS now_ms

-- name: job_end :must
-- in: (id id64, holder id64, failures int64, result text)
-- dialect: sqlite
UPDATE jobs SET ended_ms = CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER), runs = runs + 1,
  failures = failures + $3, result = $4
WHERE id = $1 AND holder = $2
-- dialect: postgres
UPDATE jobs SET ended_ms = (extract(epoch FROM clock_timestamp()) * 1000)::bigint, runs = runs + 1,
  failures = failures + $3, result = $4
WHERE id = $1 AND holder = $2

-- A lease that has lapsed is not renewed: another process may be about to take it.
-- name: job_renew :exec
-- in: (holder id64, lease_ms int64)
-- dialect: sqlite
UPDATE jobs SET lease_until_ms = CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER) + $2 WHERE holder = $1
-- dialect: postgres
UPDATE jobs SET lease_until_ms = (extract(epoch FROM clock_timestamp()) * 1000)::bigint + $2
WHERE holder = $1 AND lease_until_ms > (extract(epoch FROM clock_timestamp()) * 1000)::bigint

-- Stopping in order: others need not wait for the leases to lapse.
-- name: job_leave :exec
-- in: (holder id64)
UPDATE jobs SET holder = 0, lease_until_ms = 0 WHERE holder = $1
