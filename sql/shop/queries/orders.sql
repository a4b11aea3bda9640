-- Orders, what is done with coupons, and the offers of the weeks.

-- struct: shop_order_row (
--   id id64, customer text, store int64, session text?, item_count int64, subtotal_cents int64,
--   item_discounts_cents int64, frontstore_cents int64, final_cents int64, frontstore_coupon int64, simulated bool,
--   created_ms int64)

-- name: shop_order_put :exec
-- in: shop_order_row
INSERT INTO shop_orders (id, customer, store, session, item_count, subtotal_cents, item_discounts_cents, frontstore_cents,
  final_cents, frontstore_coupon, simulated, created_ms)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)

-- name: shop_order_get :one
-- in: (customer text, id id64)
-- out: shop_order_row
SELECT id, customer, store, session, item_count, subtotal_cents, item_discounts_cents, frontstore_cents, final_cents,
  frontstore_coupon, simulated, created_ms
FROM shop_orders WHERE customer = $1 AND id = $2

-- name: shop_order_page :many
-- in: (customer text, count int64, skip int64)
-- out: shop_order_row
SELECT id, customer, store, session, item_count, subtotal_cents, item_discounts_cents, frontstore_cents, final_cents,
  frontstore_coupon, simulated, created_ms
FROM shop_orders WHERE customer = $1 ORDER BY id DESC LIMIT $2 OFFSET $3

-- struct: shop_order_item_row (
--   order_id id64, line int64, product int64, quantity int64, unit_cents int64, discount_cents int64, coupon int64)

-- name: shop_order_item_put :batch
-- in: shop_order_item_row
INSERT INTO shop_order_items (order_id, line, product, quantity, unit_cents, discount_cents, coupon)
VALUES ($1, $2, $3, $4, $5, $6, $7)

-- name: shop_order_item_list :many
-- in: (order_id id64)
-- out: shop_order_item_row
SELECT order_id, line, product, quantity, unit_cents, discount_cents, coupon
FROM shop_order_items WHERE order_id = $1 ORDER BY line

-- name: shop_interaction_put :batch
-- in: (id id64, customer text, coupon int64, action int64, at_ms int64, simulated bool)
INSERT INTO shop_interactions (id, customer, coupon, action, at_ms, simulated) VALUES ($1, $2, $3, $4, $5, $6)

-- name: shop_offers_get :one
-- in: (customer text, cycle int64)
-- out: (assigned int64)
SELECT assigned FROM shop_offer_cycles WHERE customer = $1 AND cycle = $2

-- name: shop_offers_put :exec
-- in: (customer text, cycle int64, assigned int64, short_by int64, at_ms int64)
INSERT INTO shop_offer_cycles (customer, cycle, assigned, short_by, at_ms) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (customer, cycle) DO NOTHING

-- name: shop_offers_sum :one
-- in: (customer text, redeemed int64)
-- out: (cycles int64, assigned int64, short_by int64, redeemed int64)
SELECT count(*) AS cycles, CAST(coalesce(sum(assigned), 0) AS BIGINT) AS assigned,
  CAST(coalesce(sum(short_by), 0) AS BIGINT) AS short_by,
  (SELECT count(*) FROM shop_interactions WHERE customer = $1 AND action = $2) AS redeemed
FROM shop_offer_cycles WHERE customer = $1
