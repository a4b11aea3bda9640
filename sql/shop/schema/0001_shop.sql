-- The books of the demo shop. Customers are known by the name behind "dev:"; stores, products and coupons are constant
-- (src/shop/catalogue.def), so here are only their numbers. Money is in cents, times are milliseconds UTC, simulated
-- where the caller said what time it is.

create table shop_users (
  name text primary key,
  store int64 not null,              -- chosen to shop in; 0: none yet
  created_ms int64 not null
);

create table shop_shelves (
  store int64 not null,
  product int64 not null,
  left_pieces int64 not null check (left_pieces >= 0),
  sold_pieces int64 not null,
  primary key (store, product)
);

create table shop_cart_items (
  id id64 primary key,
  customer text not null,
  store int64 not null,
  product int64 not null,
  quantity int64 not null,
  added_ms int64 not null,
  unique (customer, store, product)
);

create table shop_cart_coupons (
  customer text not null,
  coupon int64 not null,
  added_ms int64 not null,
  primary key (customer, coupon)
);

create table shop_orders (
  id id64 primary key,
  customer text not null,
  store int64 not null,
  session text,                      -- of shop_sessions
  item_count int64 not null,
  subtotal_cents int64 not null,
  item_discounts_cents int64 not null,
  frontstore_cents int64 not null,
  final_cents int64 not null,
  frontstore_coupon int64 not null,  -- 0: none
  simulated bool not null,
  created_ms int64 not null
);
create index shop_orders_of on shop_orders (customer, id);

create table shop_order_items (
  order_id id64 not null,
  line int64 not null,
  product int64 not null,
  quantity int64 not null,
  unit_cents int64 not null,         -- as it was then
  discount_cents int64 not null,
  coupon int64 not null,             -- 0: none
  primary key (order_id, line)
);

create table shop_interactions (
  id id64 primary key,
  customer text not null,
  coupon int64 not null,
  action int64 not null,             -- enum shop_interaction
  at_ms int64 not null,
  simulated bool not null
);
create index shop_interactions_of on shop_interactions (customer, action);

create table shop_sessions (
  id text primary key,               -- a UUID, given by the caller
  customer text not null,
  completed bool not null,           -- an order came of it
  simulated bool not null,
  started_ms int64 not null,
  touched_ms int64 not null
);

create table shop_events (
  id id64 primary key,
  session text not null,
  event int64 not null,              -- enum shop_event
  payload json not null,
  simulated bool not null,
  at_ms int64 not null
);
create index shop_events_of on shop_events (session, id);

-- Which weeks' offers a customer asked for. The offers themselves follow from customer and week (sim/offers.h).
create table shop_offer_cycles (
  customer text not null,
  cycle int64 not null,
  assigned int64 not null,
  short_by int64 not null,
  at_ms int64 not null,
  primary key (customer, cycle)
);
