-- Carts: lines and coupons.

-- struct: shop_cart_row (id id64, product int64, quantity int64)

-- name: shop_cart_list :many
-- in: (customer text, store int64)
-- out: shop_cart_row
SELECT id, product, quantity FROM shop_cart_items WHERE customer = $1 AND store = $2 ORDER BY id

-- name: shop_cart_get :one
-- in: (customer text, store int64, id id64)
-- out: shop_cart_row
SELECT id, product, quantity FROM shop_cart_items WHERE customer = $1 AND store = $2 AND id = $3

-- name: shop_cart_find :one
-- in: (customer text, store int64, product int64)
-- out: shop_cart_row
SELECT id, product, quantity FROM shop_cart_items WHERE customer = $1 AND store = $2 AND product = $3

-- name: shop_cart_put :exec
-- in: (id id64, customer text, store int64, product int64, quantity int64, added_ms int64)
INSERT INTO shop_cart_items (id, customer, store, product, quantity, added_ms) VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT (customer, store, product) DO UPDATE SET quantity = excluded.quantity

-- name: shop_cart_take :exec
-- in: (customer text, id id64)
DELETE FROM shop_cart_items WHERE customer = $1 AND id = $2

-- name: shop_cart_clear :exec
-- in: (customer text)
DELETE FROM shop_cart_items WHERE customer = $1

-- name: shop_cart_count :one
-- in: (customer text)
-- out: (items int64, coupons int64)
SELECT (SELECT count(*) FROM shop_cart_items WHERE customer = $1) AS items,
  (SELECT count(*) FROM shop_cart_coupons WHERE customer = $1) AS coupons

-- name: shop_cart_coupon_list :many
-- in: (customer text)
-- out: (coupon int64)
SELECT coupon FROM shop_cart_coupons WHERE customer = $1 ORDER BY coupon

-- name: shop_cart_coupon_get :one
-- in: (customer text, coupon int64)
-- out: (coupon int64)
SELECT coupon FROM shop_cart_coupons WHERE customer = $1 AND coupon = $2

-- name: shop_cart_coupon_put :exec
-- in: (customer text, coupon int64, added_ms int64)
INSERT INTO shop_cart_coupons (customer, coupon, added_ms) VALUES ($1, $2, $3)
ON CONFLICT (customer, coupon) DO NOTHING

-- name: shop_cart_coupon_take :exec
-- in: (customer text, coupon int64)
DELETE FROM shop_cart_coupons WHERE customer = $1 AND coupon = $2

-- name: shop_cart_coupon_clear :exec
-- in: (customer text)
DELETE FROM shop_cart_coupons WHERE customer = $1
