-- The books as a whole.

-- Ids that are made must be above those that are stored.
-- name: shop_highest :one
-- out: (id id64)
SELECT coalesce(max(id), 0) AS id FROM (
  SELECT max(id) AS id FROM shop_cart_items UNION ALL SELECT max(id) FROM shop_orders
  UNION ALL SELECT max(id) FROM shop_interactions UNION ALL SELECT max(id) FROM shop_events) AS highest

-- name: shop_stats :one
-- in: (redeemed int64)
-- out: (customers int64, sessions int64, events int64, carts int64, orders int64, simulated_orders int64,
--   revenue_cents int64, offers_assigned int64, coupons_redeemed int64)
SELECT (SELECT count(*) FROM shop_users) AS customers, (SELECT count(*) FROM shop_sessions) AS sessions,
  (SELECT count(*) FROM shop_events) AS events,
  (SELECT count(*) FROM (SELECT DISTINCT customer FROM shop_cart_items) AS filled) AS carts,
  (SELECT count(*) FROM shop_orders) AS orders, (SELECT count(*) FROM shop_orders WHERE simulated) AS simulated_orders,
  (SELECT CAST(coalesce(sum(final_cents), 0) AS BIGINT) FROM shop_orders) AS revenue_cents,
  (SELECT CAST(coalesce(sum(assigned), 0) AS BIGINT) FROM shop_offer_cycles) AS offers_assigned,
  (SELECT count(*) FROM shop_interactions WHERE action = $1) AS coupons_redeemed

-- name: shop_forget_users :exec
DELETE FROM shop_users

-- name: shop_forget_cart_items :exec
DELETE FROM shop_cart_items

-- name: shop_forget_cart_coupons :exec
DELETE FROM shop_cart_coupons

-- name: shop_forget_orders :exec
DELETE FROM shop_orders

-- name: shop_forget_order_items :exec
DELETE FROM shop_order_items

-- name: shop_forget_interactions :exec
DELETE FROM shop_interactions

-- name: shop_forget_sessions :exec
DELETE FROM shop_sessions

-- name: shop_forget_events :exec
DELETE FROM shop_events

-- name: shop_forget_offers :exec
DELETE FROM shop_offer_cycles

-- name: shop_forget_shelves :exec
DELETE FROM shop_shelves
