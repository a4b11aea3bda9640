-- Who owns the slots. The lease runs by the store's clock, so that a process whose clock jumps loses nothing by it.

-- struct: owner_row (id id64, url text, epoch int64, batch int64, lease_until_ms int64)

-- name: owner_get :one
-- in: (id id64)
-- out: owner_row
SELECT id, url, epoch, batch, lease_until_ms FROM owners WHERE id = $1

-- name: owner_all :many
-- out: owner_row
SELECT id, url, epoch, batch, lease_until_ms FROM owners

-- One at a time may look and take; held until the transaction ends.
-- name: owner_lock :exec
-- dialect: sqlite
UPDATE owners SET epoch = epoch WHERE id = 0
-- dialect: postgres
LOCK TABLE slots IN EXCLUSIVE MODE

-- The one that holds slots, if any does.
-- name: owner_current :one
-- out: (id id64, url text, epoch int64, batch int64, lease_until_ms int64, now_ms int64)
-- dialect: sqlite
SELECT o.id, o.url, o.epoch, o.batch, o.lease_until_ms, CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER) AS now_ms
FROM owners o WHERE o.id IN (SELECT owner FROM slots LIMIT 1)
-- dialect: postgres
SELECT o.id, o.url, o.epoch, o.batch, o.lease_until_ms, (extract(epoch FROM clock_timestamp()) * 1000)::bigint AS now_ms
FROM owners o WHERE o.id IN (SELECT owner FROM slots LIMIT 1)

-- A new row, or the next epoch of one's own: a restart takes its row back at once.
-- name: owner_enter :one
-- in: (id id64, url text, lease_ms int64)
-- out: (epoch int64, batch int64)
-- dialect: sqlite
INSERT INTO owners (id, url, epoch, batch, lease_until_ms)
VALUES ($1, $2, 1, 0, CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER) + $3)
ON CONFLICT (id) DO UPDATE SET url = excluded.url, epoch = owners.epoch + 1, lease_until_ms = excluded.lease_until_ms
RETURNING epoch, batch
-- dialect: postgres
INSERT INTO owners (id, url, epoch, batch, lease_until_ms)
VALUES ($1, $2, 1, 0, (extract(epoch FROM clock_timestamp()) * 1000)::bigint + $3)
ON CONFLICT (id) DO UPDATE SET url = excluded.url, epoch = owners.epoch + 1, lease_until_ms = excluded.lease_until_ms
RETURNING epoch, batch

-- Taking over begins here: whoever is deposed cannot commit another batch.
-- name: owner_depose :must
-- in: (id id64, epoch int64)
-- dialect: sqlite
UPDATE owners SET epoch = epoch + 1
WHERE id = $1 AND epoch = $2 AND lease_until_ms < CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER)
-- dialect: postgres
UPDATE owners SET epoch = epoch + 1
WHERE id = $1 AND epoch = $2 AND lease_until_ms < (extract(epoch FROM clock_timestamp()) * 1000)::bigint

-- name: slot_take_all :exec
-- in: (owner id64)
-- dialect: sqlite
WITH RECURSIVE n(slot) AS (SELECT 0 UNION ALL SELECT slot + 1 FROM n WHERE slot < 1023)
INSERT INTO slots (slot, owner) SELECT slot, $1 FROM n WHERE true ON CONFLICT (slot) DO UPDATE SET owner = excluded.owner
-- dialect: postgres
INSERT INTO slots (slot, owner) SELECT slot, $1 FROM generate_series(0, 1023) AS n(slot)
ON CONFLICT (slot) DO UPDATE SET owner = excluded.owner

-- The first statement of each batch: no row means deposed.
-- name: owner_batch :must
-- in: (id id64, epoch int64, batch int64, lease_ms int64)
-- dialect: sqlite
UPDATE owners SET batch = $3, lease_until_ms = CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER) + $4
WHERE id = $1 AND epoch = $2
-- dialect: postgres
UPDATE owners SET batch = $3, lease_until_ms = (extract(epoch FROM clock_timestamp()) * 1000)::bigint + $4
WHERE id = $1 AND epoch = $2

-- Stopping in order: the lease ends now, so that a standby need not wait for it.
-- name: owner_leave :exec
-- in: (id id64, epoch int64)
UPDATE owners SET lease_until_ms = 0 WHERE id = $1 AND epoch = $2

-- After a commit whose outcome is unknown: waits for the lost transaction to end, then tells.
-- name: owner_outcome :one
-- in: (id id64)
-- out: (epoch int64, batch int64)
-- dialect: sqlite
SELECT epoch, batch FROM owners WHERE id = $1
-- dialect: postgres
SELECT epoch, batch FROM owners WHERE id = $1 FOR UPDATE
