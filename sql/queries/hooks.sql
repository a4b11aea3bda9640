-- Hooks: what others send here, and what is made of it.

-- struct: hook_row (
--   id id64, tenant id64, name text, kind int64, state int64, secret text?, old_secret text?, old_until_ms int64,
--   rules json, headers json?, tolerance_ms int64, version int64, created_ms int64, updated_ms int64)

-- Gives no row where the name is taken.
-- name: hook_insert :one
-- in: hook_row
-- out: (id id64)
INSERT INTO hooks (id, tenant, name, kind, state, secret, old_secret, old_until_ms, rules, headers, tolerance_ms, version,
  created_ms, updated_ms)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)
ON CONFLICT (name) DO NOTHING RETURNING id

-- By one of the two; the other is 0, or empty.
-- name: hook_get :one
-- in: (id id64, name text)
-- out: hook_row
SELECT id, tenant, name, kind, state, secret, old_secret, old_until_ms, rules, headers, tolerance_ms, version, created_ms,
  updated_ms
FROM hooks WHERE id = $1 OR name = $2

-- name: hook_page :many
-- in: (tenant id64, below id64, visit int64)
-- out: hook_row
SELECT id, tenant, name, kind, state, secret, old_secret, old_until_ms, rules, headers, tolerance_ms, version, created_ms,
  updated_ms
FROM hooks WHERE tenant = $1 AND id < $2 ORDER BY id DESC LIMIT $3

-- name: hook_count :one
-- in: (tenant id64)
-- out: (count int64)
SELECT count(*) AS count FROM hooks WHERE tenant = $1

-- Gives no row where somebody was faster.
-- name: hook_update :one
-- in: (id id64, state int64, secret text?, old_secret text?, old_until_ms int64, rules json, headers json?,
--   tolerance_ms int64, version int64, updated_ms int64)
-- out: (id id64)
UPDATE hooks SET state = $2, secret = $3, old_secret = $4, old_until_ms = $5, rules = $6, headers = $7, tolerance_ms = $8,
  version = $9, updated_ms = $10
WHERE id = $1 AND version = $9 - 1 RETURNING id

-- name: hook_delete :batch
-- in: id_row
DELETE FROM hooks WHERE id = $1

-- struct: hook_arrival_row (id id64, tenant id64, hook id64, delivery text, digest bytes?, event text, body json,
--   received_ms int64)

-- Gives no row when it came before.
-- name: hook_delivery_insert :one
-- in: hook_arrival_row
-- out: (id id64)
INSERT INTO hook_deliveries (id, tenant, hook, delivery, digest, event, state, body, work, received_ms, processed_ms)
VALUES ($1, $2, $3, $4, $5, $6, 0, $7, 0, $8, 0)
ON CONFLICT DO NOTHING RETURNING id

-- The one that came before.
-- name: hook_delivery_same :one
-- in: (hook id64, delivery text, digest bytes?)
-- out: (id id64)
SELECT id FROM hook_deliveries WHERE hook = $1 AND (delivery = $2 OR digest = $3) ORDER BY id LIMIT 1

-- struct: hook_delivery_row (id id64, tenant id64, hook id64, delivery text, event text, state int64, body json, work id64,
--   task id64, execution id64, detail text?, received_ms int64, processed_ms int64)

-- name: hook_delivery_get :one
-- in: id_row
-- out: hook_delivery_row
SELECT d.id, d.tenant, d.hook, d.delivery, d.event, d.state, d.body, d.work, d.task, d.execution,
  d.detail, d.received_ms, d.processed_ms
FROM hook_deliveries d JOIN hooks h ON h.id = d.hook WHERE d.id = $1

-- Without bodies.
-- name: hook_delivery_page :many
-- in: (hook id64, below id64, visit int64)
-- out: hook_delivery_row
SELECT id, tenant, hook, delivery, event, state, '' AS body, work, task, execution, detail, received_ms, processed_ms
FROM hook_deliveries WHERE hook = $1 AND id < $2 ORDER BY id DESC LIMIT $3

-- name: hook_delivery_waiting :many
-- in: (count int64)
-- out: (id id64, tenant id64, event text, body json, task id64, name text, rules json)
SELECT d.id, d.tenant, d.event, d.body, d.task, h.name, h.rules
FROM hook_deliveries d JOIN hooks h ON h.id = d.hook WHERE d.state = 0 ORDER BY d.id LIMIT $1

-- name: hook_delivery_done :batch
-- in: (id id64, state int64, work id64, task id64, execution id64, detail text?, processed_ms int64)
UPDATE hook_deliveries SET state = $2, work = $3, task = $4, execution = $5, detail = $6, processed_ms = $7 WHERE id = $1

-- Is there one that has waited since before that?
-- name: hook_delivery_late :many
-- in: (before_ms int64)
-- out: (id id64, tenant id64, hook id64)
SELECT id, tenant, hook FROM hook_deliveries WHERE state = 0 AND received_ms < $1 ORDER BY id LIMIT 1

-- name: hook_delivery_clear :many
-- in: (before_ms int64, count int64)
-- out: (id id64)
DELETE FROM hook_deliveries
WHERE id IN (SELECT id FROM hook_deliveries ORDER BY id LIMIT $2) AND received_ms < $1 RETURNING id
