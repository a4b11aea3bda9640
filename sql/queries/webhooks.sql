-- Webhooks: receivers, events, deliveries. Who does what when stands in src/webhooks/.

-- struct: webhook_row (
--   id id64, tenant id64, url text, description text?, events int64, conditions json, state int64, reason text?,
--   secret text, old_secret text?, old_until_ms int64, since id64, version int64, created_ms int64, updated_ms int64,
--   due_ms int64, waiting int64, failures int64, last_ms int64, taken_ms int64)

-- name: webhook_insert :batch
-- in: webhook_row
INSERT INTO webhooks (id, tenant, url, description, events, conditions, state, reason, secret, old_secret, old_until_ms,
  since, version, created_ms, updated_ms, due_ms, waiting, failures, last_ms, taken_ms)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20)

-- name: webhook_get :one
-- in: id_row
-- out: webhook_row
SELECT id, tenant, url, description, events, conditions, state, reason, secret, old_secret, old_until_ms, since, version,
  created_ms, updated_ms, due_ms, waiting, failures, last_ms, taken_ms
FROM webhooks WHERE id = $1

-- Nobody else changes it until the transaction ends; on SQLite nobody could.
-- name: webhook_hold :one
-- in: id_row
-- out: (id id64)
-- dialect: sqlite
SELECT id FROM webhooks WHERE id = $1
-- dialect: postgres
SELECT id FROM webhooks WHERE id = $1 FOR UPDATE

-- name: webhook_page :many
-- in: (tenant id64, below id64, visit int64)
-- out: webhook_row
SELECT id, tenant, url, description, events, conditions, state, reason, secret, old_secret, old_until_ms, since, version,
  created_ms, updated_ms, due_ms, waiting, failures, last_ms, taken_ms
FROM webhooks WHERE tenant = $1 AND id < $2 ORDER BY id DESC LIMIT $3

-- name: webhook_count :one
-- in: (tenant id64)
-- out: (count int64)
SELECT count(*) AS count FROM webhooks WHERE tenant = $1

-- What its owner may change.
-- name: webhook_update :batch
-- in: (id id64, url text, description text?, events int64, conditions json, state int64, reason text?, secret text,
--   old_secret text?, old_until_ms int64, since id64, version int64, updated_ms int64)
UPDATE webhooks SET url = $2, description = $3, events = $4, conditions = $5, state = $6, reason = $7, secret = $8,
  old_secret = $9, old_until_ms = $10, since = $11, version = $12, updated_ms = $13 WHERE id = $1

-- name: webhook_delete :batch
-- in: id_row
DELETE FROM webhooks WHERE id = $1

-- ---- who is told ----

-- Is there anybody at all?
-- name: webhook_any :one
-- out: (listening bool)
SELECT count(*) > 0 AS listening FROM (SELECT id FROM webhooks WHERE state = 0 LIMIT 1) AS first

-- name: webhook_listeners :many
-- in: (tenant id64)
-- out: (id id64, events int64, conditions json, since id64, waiting int64)
SELECT id, events, conditions, since, waiting FROM webhooks WHERE tenant = $1 AND state = 0 ORDER BY id

-- name: webhook_position_get :one
-- out: (seq id64)
SELECT seq FROM webhook_position WHERE id = 1

-- name: webhook_position_set :exec
-- in: (seq id64)
UPDATE webhook_position SET seq = $1 WHERE id = 1

-- struct: webhook_event_row (id id64, tenant id64, type int64, subject text, data json, at_ms int64, pending int64)

-- name: webhook_event_insert :batch
-- in: webhook_event_row
INSERT INTO webhook_events (id, tenant, type, subject, data, at_ms, pending) VALUES ($1, $2, $3, $4, $5, $6, $7)

-- name: webhook_event_pending :many
-- in: (count int64)
-- out: webhook_event_row
SELECT id, tenant, type, subject, data, at_ms, pending FROM webhook_events WHERE pending = 1 ORDER BY id LIMIT $1

-- name: webhook_event_told :batch
-- in: id_row
UPDATE webhook_events SET pending = 0 WHERE id = $1

-- name: webhook_delivery_insert :batch
-- in: (id id64, tenant id64, webhook id64, event id64, due_ms int64, created_ms int64)
INSERT INTO webhook_deliveries (id, tenant, webhook, event, state, attempts, spared, due_ms, leased_ms, created_ms, last_ms,
  status, took_ms)
VALUES ($1, $2, $3, $4, 0, 0, 0, $5, 0, $6, 0, 0, 0)

-- More of its deliveries wait, the first of them until due_ms.
-- name: webhook_queued :batch
-- in: (id id64, due_ms int64, count int64)
UPDATE webhooks SET waiting = waiting + $3, due_ms = CASE WHEN due_ms = 0 OR due_ms > $2 THEN $2 ELSE due_ms END
WHERE id = $1

-- What happened to an agent at that moment.
-- name: webhook_flip :one
-- in: (agent id64, at_ms int64)
-- out: (was int64, status int64)
SELECT was, status FROM liveness_log WHERE agent = $1 AND at_ms = $2 ORDER BY id DESC LIMIT 1

-- ---- sending ----

-- name: webhook_clock :one
-- out: (now_ms int64)
-- dialect: sqlite
SELECT CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER) AS now_ms
-- dialect: postgres
SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint AS now_ms

-- name: webhook_due :many
-- in: (now_ms int64, count int64)
-- out: (id id64, url text, secret text, old_secret text?, old_until_ms int64, failures int64)
SELECT id, url, secret, old_secret, old_until_ms, failures FROM webhooks
WHERE due_ms > 0 AND due_ms <= $1 ORDER BY due_ms LIMIT $2

-- 0: nothing is.
-- name: webhook_due_next :one
-- out: (due_ms int64)
SELECT coalesce(min(due_ms), 0) AS due_ms FROM webhooks WHERE due_ms > 0

-- name: webhook_delivery_due :many
-- in: (webhook id64, now_ms int64, count int64)
-- out: (id id64, attempts int64, event id64, tenant id64, type int64, subject text, data json, at_ms int64)
SELECT d.id, d.attempts, d.event, e.tenant, e.type, e.subject, e.data, e.at_ms
FROM webhook_deliveries d JOIN webhook_events e ON e.id = d.event
WHERE d.webhook = $1 AND d.due_ms > 0 AND d.due_ms <= $2 ORDER BY d.due_ms, d.id LIMIT $3

-- It is sent now; when nothing is heard of it until the lease ends, it is sent again.
-- name: webhook_delivery_claim :batch
-- in: (id id64, leased_ms int64)
UPDATE webhook_deliveries SET attempts = attempts + 1, due_ms = $2, leased_ms = $2 WHERE id = $1

-- When the first of its deliveries is due, after some of them were touched.
-- name: webhook_after :batch
-- in: id_row
UPDATE webhooks SET due_ms = coalesce((SELECT min(d.due_ms) FROM webhook_deliveries d
  WHERE d.webhook = webhooks.id AND d.due_ms > 0), 0)
WHERE id = $1 AND state = 0

-- Nothing of it can be sent before.
-- name: webhook_park :batch
-- in: (id id64, due_ms int64)
UPDATE webhooks SET due_ms = $2 WHERE id = $1 AND state = 0

-- An attempt is over. No row: it is not the last one any more.
-- name: webhook_delivery_end :one
-- in: (id id64, attempts int64, state int64, due_ms int64, last_ms int64, status int64, error text?, answer text?,
--   took_ms int64)
-- out: (webhook id64)
UPDATE webhook_deliveries SET state = $3, due_ms = $4, leased_ms = 0, last_ms = $5, status = $6, error = $7, answer = $8,
  took_ms = $9
WHERE id = $1 AND attempts = $2 AND leased_ms > 0 RETURNING webhook

-- name: webhook_attempted :exec
-- in: (id id64, taken bool, ended int64, last_ms int64)
UPDATE webhooks SET failures = CASE WHEN $2 THEN 0 ELSE failures + 1 END, waiting = waiting - $3, last_ms = $4,
  taken_ms = CASE WHEN $2 THEN $4 ELSE taken_ms END
WHERE id = $1

-- So many more of its deliveries wait.
-- name: webhook_waiting :exec
-- in: (id id64, count int64)
UPDATE webhooks SET waiting = waiting + $2 WHERE id = $1

-- The server gives it up.
-- name: webhook_disable :exec
-- in: (id id64, reason text, updated_ms int64)
UPDATE webhooks SET state = 1, reason = $2, due_ms = 0, version = version + 1, updated_ms = $3 WHERE id = $1 AND state = 0

-- It is not sent anything for the moment.
-- name: webhook_rest :batch
-- in: id_row
UPDATE webhooks SET due_ms = 0 WHERE id = $1

-- No other process sends, and this one has just started: what was on its way is sent anew.
-- name: webhook_recall_due :exec
-- in: (now_ms int64)
UPDATE webhooks SET due_ms = $1 WHERE state = 0 AND id IN (SELECT webhook FROM webhook_deliveries WHERE leased_ms > 0)

-- name: webhook_recall :exec
-- in: (now_ms int64)
UPDATE webhook_deliveries SET due_ms = $1, leased_ms = 0 WHERE leased_ms > 0

-- ---- looking at them ----

-- struct: webhook_delivery_row (
--   id id64, tenant id64, webhook id64, event id64, type int64, subject text, state int64, attempts int64, spared int64,
--   due_ms int64, leased_ms int64, created_ms int64, last_ms int64, status int64, error text?, answer text?, took_ms int64,
--   at_ms int64, data json)

-- Of webhooks that are still there.
-- name: webhook_delivery_get :one
-- in: id_row
-- out: webhook_delivery_row
SELECT d.id, d.tenant, d.webhook, d.event, e.type, e.subject, d.state, d.attempts, d.spared, d.due_ms, d.leased_ms,
  d.created_ms, d.last_ms, d.status, d.error, d.answer, d.took_ms, e.at_ms, e.data
FROM webhook_deliveries d JOIN webhook_events e ON e.id = d.event JOIN webhooks w ON w.id = d.webhook WHERE d.id = $1

-- name: webhook_delivery_page :many
-- in: (webhook id64, below id64, visit int64)
-- out: webhook_delivery_row
SELECT d.id, d.tenant, d.webhook, d.event, e.type, e.subject, d.state, d.attempts, d.spared, d.due_ms, d.leased_ms,
  d.created_ms, d.last_ms, d.status, d.error, d.answer, d.took_ms, e.at_ms, e.data
FROM webhook_deliveries d JOIN webhook_events e ON e.id = d.event
WHERE d.webhook = $1 AND d.id < $2 ORDER BY d.id DESC LIMIT $3

-- No row: it is being sent.
-- name: webhook_delivery_replay :one
-- in: (id id64, now_ms int64)
-- out: (id id64)
UPDATE webhook_deliveries SET state = 0, due_ms = $2, leased_ms = 0, spared = attempts
WHERE id = $1 AND leased_ms <= $2 RETURNING id

-- ---- clearing away ----

-- name: webhook_delivery_clear :many
-- in: (before_ms int64, count int64)
-- out: (id id64, webhook id64, state int64)
DELETE FROM webhook_deliveries
WHERE id IN (SELECT id FROM webhook_deliveries ORDER BY id LIMIT $2) AND created_ms < $1 RETURNING id, webhook, state

-- name: webhook_event_clear :many
-- in: (before_ms int64, count int64)
-- out: (id id64)
DELETE FROM webhook_events WHERE id IN (SELECT id FROM webhook_events ORDER BY id LIMIT $2) AND at_ms < $1 RETURNING id
