-- Signatures that were taken.

-- No row: it was taken before.
-- name: signature_take :one
-- in: (id id64, expires_ms int64)
-- out: id_row
INSERT INTO signatures (id, expires_ms) VALUES ($1, $2) ON CONFLICT (id) DO NOTHING RETURNING id
