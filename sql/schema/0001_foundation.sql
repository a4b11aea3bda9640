-- The foundation: who may call (tenants, keys), who owns the slots (owners, slots), and the work queue.
-- Times are milliseconds UTC, 0 for none. Column types are the words of tools/sqlgen.py.

create table tenants (
  id id64 primary key,
  name text not null unique,
  created_ms int64 not null
);

create table keys (
  id id64 primary key,
  tenant id64 not null references tenants(id),
  name text not null,
  scope int64 not null,              -- enum scope
  hash bytes not null unique,        -- BLAKE2b-256 of the secret
  created_ms int64 not null,
  expires_ms int64 not null,         -- 0: never
  revoked_ms int64 not null          -- 0: not revoked
);

-- One row per process that ever served this store. `epoch` grows with each take-over; a batch that finds another
-- epoch than its own has been deposed. `batch` is the number of the last committed batch.
create table owners (
  id id64 primary key,               -- the process's own number, kept in its data directory
  url text not null,
  epoch int64 not null,
  batch int64 not null,
  lease_until_ms int64 not null      -- by the clock of the store
);

create table slots (
  slot id64 primary key,             -- 0 .. 1023
  owner id64 not null
);

create table queues (
  id id64 primary key,
  tenant id64 not null references tenants(id),
  type text not null,
  team text not null,                -- '' for none
  unique (tenant, type, team)
);

-- Exactly what the queue's memory holds of an item that is not finished, and nothing else: start-up reads this
-- table alone. No secondary index: see docs/adr/0002.
create table work_live (
  id id64 primary key,
  tenant id64 not null,
  queue id64 not null,
  state int64 not null,              -- enum work_state
  priority int64 not null,           -- enum work_priority
  created_ms int64 not null,
  changed_ms int64 not null,
  run_at_ms int64 not null,
  ready_ms int64 not null,           -- first time it was ready, 0 before
  deadline_ms int64 not null,
  lease_ms int64 not null,
  lease_until_ms int64 not null,     -- 0 unless leased
  attempt int64 not null,
  failures int64 not null,
  max_attempts int64 not null,
  backoff_kind int64 not null,
  backoff_base_ms int64 not null,
  backoff_max_ms int64 not null,
  progress int64 not null,
  token_epoch int64 not null,
  token_random int64 not null,
  key_hash int64 not null,           -- 0: no key
  outcome int64 not null,            -- how the last attempt was settled: enum work_outcome + 1; 0: it was not
  assignee text,
  created_by text,
  claimed_by text,
  note text,
  depends bytes,                     -- what it still waits for
  history bytes
);

-- Written once.
create table work_body (
  id id64 primary key,
  tenant id64 not null,
  key text,
  title text,
  description text,
  payload json,
  labels json,
  trace text,
  estimated_ms int64 not null,
  points real not null
);

-- Finished items. `used` is that of the last attempt; `felled` names the items that failed because this one did.
create table work_done (
  id id64 primary key,
  tenant id64 not null,
  queue id64 not null,
  state int64 not null,
  priority int64 not null,
  created_ms int64 not null,
  finished_ms int64 not null,
  run_at_ms int64 not null,
  ready_ms int64 not null,
  deadline_ms int64 not null,
  lease_ms int64 not null,
  attempt int64 not null,
  failures int64 not null,
  max_attempts int64 not null,
  backoff_kind int64 not null,
  backoff_base_ms int64 not null,
  backoff_max_ms int64 not null,
  progress int64 not null,
  token_epoch int64 not null,
  token_random int64 not null,
  key_hash int64 not null,
  outcome int64 not null,
  cause id64 not null,               -- the dependency that failed it, 0 for none
  assignee text,
  created_by text,
  claimed_by text,
  note text,
  depends bytes,
  felled bytes,
  history bytes,
  error text,
  used json,
  result json                        -- last: a long one is not read for a list
);

-- What happened, one row per committed batch; the id of an event is "seq.index".
create table work_events (
  seq id64 primary key,
  at_ms int64 not null,
  events bytes not null
);

create table idempotency (
  id id64 primary key,               -- hash of tenant, route and key; a clash within 24 h is refused as reuse
  tenant id64 not null,
  route text not null,
  key text not null,
  body_hash bytes not null,          -- BLAKE2b-256 of the request body
  status int64 not null,
  response json not null,
  created_ms int64 not null
);
create index idempotency_created on idempotency (created_ms);
