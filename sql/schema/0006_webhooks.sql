-- Webhooks: who is told of what, and what became of it. Times are milliseconds UTC, 0 for none; those at which something
-- is due are by the clock of the store.

create table webhooks (
  id id64 primary key,
  tenant id64 not null references tenants(id),
  url text not null,
  description text,
  events int64 not null,             -- a bit for each enum webhook_event; 0: all
  conditions json not null,          -- a webhook_conditions
  state int64 not null,              -- enum webhook_state
  reason text,                       -- why the server disabled it
  secret text not null,
  old_secret text,                   -- signs too …
  old_until_ms int64 not null,       -- … until then
  since id64 not null,               -- it is told of changes with higher numbers
  version int64 not null,
  created_ms int64 not null,
  updated_ms int64 not null,
  due_ms int64 not null,             -- when the first of its deliveries is to be looked at; 0: none, or disabled
  waiting int64 not null,            -- of its deliveries
  failures int64 not null,           -- attempts in a row
  last_ms int64 not null,            -- the end of the last attempt
  taken_ms int64 not null            -- of the last one that was taken
);
create index webhooks_of_tenant on webhooks (tenant, id);
create index webhooks_due on webhooks (due_ms) where due_ms > 0;

-- What happened, once for all who are told of it.
create table webhook_events (
  id id64 primary key,
  tenant id64 not null,
  type int64 not null,               -- enum webhook_event
  subject text not null,
  data json not null,
  at_ms int64 not null,
  pending int64 not null             -- 1: written with what it tells, and not given to the webhooks yet
);
create index webhook_events_pending on webhook_events (id) where pending = 1;

create table webhook_deliveries (
  id id64 primary key,
  tenant id64 not null,
  webhook id64 not null,
  event id64 not null,
  state int64 not null,              -- enum webhook_delivery_state
  attempts int64 not null,           -- begun; counts on, so that it names the attempt
  spared int64 not null,             -- of these, made before it was replayed
  due_ms int64 not null,             -- when it is sent next, or taken to be lost on its way; 0: not waiting
  leased_ms int64 not null,          -- being sent; until then nobody else sends it
  created_ms int64 not null,
  last_ms int64 not null,            -- the end of the last attempt
  status int64 not null,             -- its answer; 0: none
  error text,
  answer text,
  took_ms int64 not null
);
create index webhook_deliveries_of on webhook_deliveries (webhook, id);
create index webhook_deliveries_leased on webhook_deliveries (leased_ms) where leased_ms > 0;
create index webhook_deliveries_due on webhook_deliveries (webhook, due_ms) where due_ms > 0;

-- One row: up to which number of the feed events were made.
create table webhook_position (
  id id64 primary key,
  seq id64 not null
);
insert into webhook_position (id, seq) select 1, coalesce(max(seq), 0) from changes;
