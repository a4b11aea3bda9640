-- Customers, their sessions, and what is left on the shelves.

-- name: shop_user_get :one
-- in: (name text)
-- out: (store int64)
SELECT store FROM shop_users WHERE name = $1

-- name: shop_user_choose :exec
-- in: (name text, store int64, created_ms int64)
INSERT INTO shop_users (name, store, created_ms) VALUES ($1, $2, $3)
ON CONFLICT (name) DO UPDATE SET store = excluded.store

-- name: shop_session_get :one
-- in: (id text)
-- out: (customer text)
SELECT customer FROM shop_sessions WHERE id = $1

-- name: shop_session_touch :exec
-- in: (id text, customer text, simulated bool, at_ms int64)
INSERT INTO shop_sessions (id, customer, completed, simulated, started_ms, touched_ms) VALUES ($1, $2, false, $3, $4, $4)
ON CONFLICT (id) DO UPDATE SET touched_ms = excluded.touched_ms

-- name: shop_session_complete :exec
-- in: (id text)
UPDATE shop_sessions SET completed = true WHERE id = $1

-- name: shop_event_add :exec
-- in: (id id64, session text, event int64, payload json, simulated bool, at_ms int64)
INSERT INTO shop_events (id, session, event, payload, simulated, at_ms) VALUES ($1, $2, $3, $4, $5, $6)

-- name: shop_shelf_fill :batch
-- in: (store int64, product int64, left_pieces int64)
INSERT INTO shop_shelves (store, product, left_pieces, sold_pieces) VALUES ($1, $2, $3, 0)
ON CONFLICT (store, product) DO NOTHING

-- name: shop_shelf_list :many
-- in: (store int64)
-- out: (product int64, left_pieces int64, sold_pieces int64)
SELECT product, left_pieces, sold_pieces FROM shop_shelves WHERE store = $1 ORDER BY sold_pieces DESC, product

-- Nobody else takes from that shelf until the transaction ends.
-- name: shop_shelf_lock :one
-- in: (store int64, product int64)
-- out: (left_pieces int64)
-- dialect: sqlite
SELECT left_pieces FROM shop_shelves WHERE store = $1 AND product = $2
-- dialect: postgres
SELECT left_pieces FROM shop_shelves WHERE store = $1 AND product = $2 FOR UPDATE

-- The caller holds shop_shelf_lock of each.
-- name: shop_shelf_take :batch
-- in: (store int64, product int64, pieces int64)
UPDATE shop_shelves SET left_pieces = left_pieces - $3, sold_pieces = sold_pieces + $3 WHERE store = $1 AND product = $2
