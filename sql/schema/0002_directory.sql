-- The directory: agents, what they can do, what others say of them, whether they are alive; and the feed of changes.
-- Times are milliseconds UTC, 0 for none.

alter table keys add column agent id64 not null default 0;   -- the agent that calls with it, 0: none
alter table keys add column tier int64 not null default 0;   -- enum limit_tier
create index keys_of_tenant on keys (tenant, id);
create index keys_expire on keys (expires_ms) where expires_ms > 0;
create index keys_of_agent on keys (agent, id) where agent > 0;

create table agents (
  id id64 primary key,
  tenant id64 not null references tenants(id),
  handle text not null unique,       -- in the whole deployment; held by a tombstone until that is cleared away
  name text not null,
  type int64 not null,               -- enum agent_type
  visibility int64 not null,         -- enum visibility
  protocols int64 not null,          -- a bit for each enum agent_protocol
  description text,
  endpoint text,
  homepage text,
  avatar text,
  operator text,
  tags json,                         -- array of texts
  metadata json,
  public_key bytes,                  -- ed25519
  key_proved_ms int64 not null,      -- when the agent proved to have its private half
  version int64 not null,            -- grows with each change of this row
  created_ms int64 not null,
  updated_ms int64 not null,
  deleted_ms int64 not null          -- a tombstone since then
);
create index agents_of_tenant on agents (tenant, id) where deleted_ms = 0;
create index agents_of_type on agents (tenant, type, id) where deleted_ms = 0;
create index agents_by_name on agents (tenant, name, id) where deleted_ms = 0;
create index agents_public on agents (id) where visibility = 1 and deleted_ms = 0;
create index agents_public_type on agents (type, id) where visibility = 1 and deleted_ms = 0;
create index agents_tombstones on agents (deleted_ms) where deleted_ms > 0;

-- The A2A card an agent came with, byte for byte.
create table agent_cards (
  agent id64 primary key,
  card json not null
);

create table challenges (
  id id64 primary key,
  public_key bytes not null,
  nonce bytes not null,
  expires_ms int64 not null
);
create index challenges_expire on challenges (expires_ms);

create table capabilities (
  id id64 primary key,
  tenant id64 not null,              -- 0: every tenant's
  slug text not null,
  description text not null,
  version text not null,
  input_schema json,
  output_schema json,
  created_ms int64 not null,
  unique (tenant, slug)
);

-- dialect: postgres
alter table capabilities alter column slug type text collate "C";   -- by bytes, as on SQLite

create table agent_capabilities (
  agent id64 not null,
  capability id64 not null,
  endpoint text,
  created_ms int64 not null,
  primary key (agent, capability)
);
create index agent_capabilities_of on agent_capabilities (capability, agent);

-- Nothing in a row ever changes but its revocation.
create table attestations (
  id id64 primary key,
  tenant id64 not null,              -- the attester's
  attester id64 not null,
  subject id64 not null,
  claim int64 not null,              -- enum claim_type
  capability id64 not null,          -- 0: none
  value json not null,
  evidence text,
  issued_ms int64 not null,
  expires_ms int64 not null,         -- 0: never
  nonce text not null,
  signature bytes not null,
  created_ms int64 not null,
  revoked_ms int64 not null,
  unique (attester, nonce)
);
create index attestations_of_subject on attestations (subject, id);
create index attestations_of_attester on attestations (attester, id);

-- Whether an agent is alive. A beat writes beat_ms and streak alone, which no index knows of: check_ms is when the
-- sweep looks next, and the sweep moves it on when it finds a beat since.
create table liveness (
  agent id64 primary key,
  tenant id64 not null,
  status int64 not null,             -- enum agent_status
  since_ms int64 not null,           -- of this status
  flips int64 not null,              -- how often it changed
  beat_ms int64 not null,
  streak int64 not null,             -- beats in time, one after another
  check_ms int64 not null            -- 0: not looked at
);
create index liveness_check on liveness (check_ms) where check_ms > 0;
create index liveness_status on liveness (tenant, status, agent);

-- dialect: postgres
alter table liveness set (fillfactor = 70);   -- room for a beat's row on its own page

create table liveness_log (
  id id64 primary key,
  agent id64 not null,
  was int64 not null,                -- enum agent_status, before
  status int64 not null,             -- and since
  at_ms int64 not null
);
create index liveness_log_of on liveness_log (agent, at_ms);
create index liveness_log_old on liveness_log (at_ms);

-- What changed, in the order in which it became visible. On PostgreSQL a transaction writes to changes_new, and one
-- process at a time numbers what it sees there (docs/adr/0010).
create table changes (
  seq id64 primary key,
  tenant id64 not null,
  entity int64 not null,             -- enum change_entity
  op int64 not null,                 -- enum change_op
  ref id64 not null,                 -- of the agent, capability, attestation or key
  version int64 not null,            -- the row's, after it
  public bool not null,              -- keys of other tenants see it
  at_ms int64 not null
);

-- PostgreSQL only; SQLite has one writer, who numbers as he writes.
create table changes_new (
  id id64 primary key,               -- of a sequence
  tenant id64 not null,
  entity int64 not null,
  op int64 not null,
  ref id64 not null,
  version int64 not null,
  public bool not null,
  at_ms int64 not null,
  written_ms int64 not null          -- by the clock of the store
);

-- dialect: postgres
create sequence changes_new_id;

-- One row per background job, made when it first runs.
create table jobs (
  id id64 primary key,               -- enum job_id + 1
  holder id64 not null,              -- process, 0: nobody
  lease_until_ms int64 not null,     -- by the clock of the store
  since_ms int64 not null,           -- it has run without a gap since then
  began_ms int64 not null,
  ended_ms int64 not null,
  runs int64 not null,
  failures int64 not null,
  result text not null               -- of the last run, for people
);
