-- Where servers of a PostgreSQL store stand. A place in the log is told by its timeline and by bytes; a session that has
-- written has seen the log flushed so far, because commits wait for that. (Inserted, but not flushed, is also what others
-- have not committed: no replica gets it before it is.) On SQLite there is one file and nothing to ask.

-- name: log_place :one
-- out: (timeline int64, lsn int64)
-- dialect: sqlite
SELECT 0 AS timeline, 0 AS lsn
-- dialect: postgres
SELECT ('x' || substr(pg_walfile_name(flushed.at), 1, 8))::bit(32)::bigint AS timeline,
  (flushed.at - '0/0'::pg_lsn)::bigint AS lsn
FROM pg_current_wal_flush_lsn() AS flushed(at)

-- Of the server that takes writes; `system` is the same in all copies of one database.
-- name: primary_stand :one
-- out: (system int64, timeline int64, lsn int64)
-- dialect: sqlite
SELECT 0 AS system, 0 AS timeline, 0 AS lsn
-- dialect: postgres
SELECT c.system_identifier AS system,
  ('x' || substr(pg_walfile_name(flushed.at), 1, 8))::bit(32)::bigint AS timeline,
  (flushed.at - '0/0'::pg_lsn)::bigint AS lsn
FROM pg_current_wal_flush_lsn() AS flushed(at), pg_control_system() AS c

-- Of one that follows: the timeline it receives, else that of its last restart point, which is never ahead of what it
-- has replayed.
-- name: replica_stand :one
-- out: (system int64, recovering bool, timeline int64, lsn int64)
-- dialect: sqlite
SELECT 0 AS system, 0 AS recovering, 0 AS timeline, 0 AS lsn
-- dialect: postgres
SELECT c.system_identifier AS system, pg_is_in_recovery() AS recovering,
  coalesce((SELECT received_tli FROM pg_stat_wal_receiver),
    (SELECT timeline_id FROM pg_control_checkpoint()))::bigint AS timeline,
  coalesce((pg_last_wal_replay_lsn() - '0/0'::pg_lsn)::bigint, 0) AS lsn
FROM pg_control_system() AS c
