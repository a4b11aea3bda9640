-- Hooks: what others send here, and what is made of it. Times are milliseconds UTC, 0 for none.

create table hooks (
  id id64 primary key,
  tenant id64 not null references tenants(id),
  name text not null unique,         -- in the whole deployment
  kind int64 not null,               -- enum hook_kind
  state int64 not null,              -- enum hook_state
  secret text,                       -- without one everything is refused
  old_secret text,                   -- counts too …
  old_until_ms int64 not null,       -- … until then
  rules json not null,               -- a hook_rules
  headers json,                      -- a hook_headers, of kind generic
  tolerance_ms int64 not null,
  version int64 not null,
  created_ms int64 not null,
  updated_ms int64 not null
);
create index hooks_of_tenant on hooks (tenant, id);

create table hook_deliveries (
  id id64 primary key,
  tenant id64 not null,
  hook id64 not null,
  delivery text not null,            -- its id there; once for a hook
  digest bytes,                      -- of what does not say when it was signed: the same body counts once too
  event text not null,
  state int64 not null,              -- enum hook_delivery_state
  body json not null,
  work id64 not null,                -- 0: none
  detail text,
  received_ms int64 not null,
  processed_ms int64 not null,
  unique (hook, delivery),
  unique (hook, digest)
);
create index hook_deliveries_of on hook_deliveries (hook, id);
create index hook_deliveries_waiting on hook_deliveries (id) where state = 0;
