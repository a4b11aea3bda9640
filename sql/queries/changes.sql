-- The feed of changes: docs/adr/0010.

-- struct: change_fact (tenant id64, entity int64, op int64, ref id64, version int64, public bool, at_ms int64)
-- struct: change_row (seq id64, tenant id64, entity int64, op int64, ref id64, version int64, public bool, at_ms int64)

-- The last statement of a transaction that changes what the feed tells of.
-- name: change_add :batch
-- in: change_fact
-- dialect: sqlite
INSERT INTO changes (tenant, entity, op, ref, version, public, at_ms) VALUES ($1, $2, $3, $4, $5, $6, $7)
-- dialect: postgres
INSERT INTO changes_new (id, tenant, entity, op, ref, version, public, at_ms, written_ms)
VALUES (nextval('changes_new_id'), $1, $2, $3, $4, $5, $6, $7, (extract(epoch FROM clock_timestamp()) * 1000)::bigint)

-- Is there something to number, and how long has the oldest waited? By the store's clock.
-- name: change_waiting :one
-- out: (waiting bool, waited_ms int64)
-- dialect: sqlite
SELECT 0 AS waiting, 0 AS waited_ms
-- dialect: postgres
SELECT count(*) > 0 AS waiting,
  coalesce(max((extract(epoch FROM clock_timestamp()) * 1000)::bigint - written_ms), 0) AS waited_ms
FROM (SELECT written_ms FROM changes_new ORDER BY id LIMIT 1) AS oldest

-- Numbers up to so many changes, oldest first. Two at a time would give the same numbers, and the primary key refuses
-- the second.
-- name: change_number :one
-- in: (count int64)
-- out: (numbered int64, waited_ms int64)
-- dialect: sqlite
SELECT 0 AS numbered, 0 AS waited_ms WHERE $1 > 0
-- dialect: postgres
WITH taken AS (
  DELETE FROM changes_new WHERE id IN (SELECT id FROM changes_new ORDER BY id LIMIT $1)
  RETURNING id, tenant, entity, op, ref, version, public, at_ms, written_ms
), put AS (
  INSERT INTO changes (seq, tenant, entity, op, ref, version, public, at_ms)
  SELECT (SELECT coalesce(max(seq), 0) FROM changes) + row_number() OVER (ORDER BY id),
    tenant, entity, op, ref, version, public, at_ms
  FROM taken
)
SELECT count(*) AS numbered,
  coalesce(max((extract(epoch FROM clock_timestamp()) * 1000)::bigint - written_ms), 0) AS waited_ms
FROM taken

-- name: change_from :many
-- in: (since id64, count int64)
-- out: change_row
SELECT seq, tenant, entity, op, ref, version, public, at_ms FROM changes WHERE seq > $1 ORDER BY seq LIMIT $2

-- The lowest and the highest number that is kept; 0 when there is none.
-- name: change_ends :one
-- out: (first id64, last id64)
SELECT (SELECT coalesce(min(seq), 0) FROM changes) AS first, (SELECT coalesce(max(seq), 0) FROM changes) AS last
