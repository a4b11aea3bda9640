-- Which transaction is this, and what became of it? For writes outside the queue's batches, on PostgreSQL alone: SQLite
-- is in this process, and a commit there never ends without word.

-- name: transaction_current :one
-- out: (id int64)
-- dialect: sqlite
SELECT 0 AS id
-- dialect: postgres
SELECT pg_current_xact_id()::text::bigint AS id

-- name: transaction_outcome :one
-- in: (id int64)
-- out: (committed bool, running bool)
-- dialect: sqlite
SELECT $1 <> 0 AS committed, 0 AS running
-- dialect: postgres
SELECT coalesce(pg_xact_status($1::text::xid8) = 'committed', false) AS committed,
  coalesce(pg_xact_status($1::text::xid8) = 'in progress', false) AS running
