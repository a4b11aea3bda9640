-- Challenges: what to sign to show that one holds a key. A row goes when it is used.

-- struct: challenge_row (id id64, public_key bytes, nonce bytes, expires_ms int64)

-- name: challenge_insert :exec
-- in: challenge_row
INSERT INTO challenges (id, public_key, nonce, expires_ms) VALUES ($1, $2, $3, $4)

-- name: challenge_get :one
-- in: id_row
-- out: challenge_row
SELECT id, public_key, nonce, expires_ms FROM challenges WHERE id = $1

-- name: challenge_take :one
-- in: id_row
-- out: id_row
DELETE FROM challenges WHERE id = $1 RETURNING id
