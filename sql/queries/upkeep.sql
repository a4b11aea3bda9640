-- Clearing away what has had its time, a bounded number at once; what was deleted is returned.

-- struct: upkeep_in (before_ms int64, count int64)

-- name: challenge_expire :many
-- in: upkeep_in
-- out: id_row
DELETE FROM challenges WHERE id IN (SELECT id FROM challenges WHERE expires_ms < $1 ORDER BY expires_ms LIMIT $2)
RETURNING id

-- name: signature_expire :many
-- in: upkeep_in
-- out: id_row
DELETE FROM signatures WHERE id IN (SELECT id FROM signatures WHERE expires_ms < $1 ORDER BY expires_ms LIMIT $2)
RETURNING id

-- name: key_clear :many
-- in: upkeep_in
-- out: key_place
DELETE FROM keys WHERE id IN (SELECT id FROM keys WHERE expires_ms > 0 AND expires_ms < $1 ORDER BY expires_ms LIMIT $2)
RETURNING id, tenant

-- name: liveness_log_clear :many
-- in: upkeep_in
-- out: id_row
DELETE FROM liveness_log WHERE id IN (SELECT id FROM liveness_log WHERE at_ms < $1 ORDER BY at_ms LIMIT $2)
RETURNING id

-- name: change_clear :exec
-- in: (upto id64)
DELETE FROM changes WHERE seq <= $1

-- name: agent_clear :many
-- in: upkeep_in
-- out: id_row
DELETE FROM agents WHERE id IN (
  SELECT id FROM agents WHERE deleted_ms > 0 AND deleted_ms < $1 ORDER BY deleted_ms LIMIT $2)
RETURNING id

-- What stood beside an agent.
-- name: agent_capability_clear :batch
-- in: id_row
DELETE FROM agent_capabilities WHERE agent = $1

-- name: agent_liveness_clear :batch
-- in: id_row
DELETE FROM liveness WHERE agent = $1

-- name: agent_log_clear :batch
-- in: id_row
DELETE FROM liveness_log WHERE agent = $1

-- name: agent_key_clear :batch
-- in: id_row
DELETE FROM keys WHERE agent = $1 AND agent > 0
