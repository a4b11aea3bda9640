-- People: who they are, which tenants they belong to, where they are signed in. Of passwords and tokens only hashes are
-- kept. Times are milliseconds UTC, 0 for none.

alter table tenants add column kind int64 not null default 0;  -- enum tenant_kind

create table users (
  id id64 primary key,
  email text not null unique,        -- in lower case
  name text not null,
  password text not null,            -- argon2id, as libsodium writes it, salt and costs included
  password_ms int64 not null,        -- when it was set
  created_ms int64 not null
);

create table memberships (
  id id64 primary key,
  tenant id64 not null references tenants(id),
  user_id id64 not null references users(id),
  role int64 not null,               -- enum user_role
  created_ms int64 not null,
  unique (tenant, user_id)
);
create index memberships_of_tenant on memberships (tenant, id);
create index memberships_of_user on memberships (user_id, id);

-- A person signed in somewhere: the family of the refresh tokens that follow each other there.
create table sign_ins (
  id id64 primary key,
  user_id id64 not null references users(id),
  tenant id64 not null references tenants(id), -- where the newest access token acts
  client text not null,
  address text not null,
  created_ms int64 not null,
  refreshed_ms int64 not null,
  expires_ms int64 not null,         -- however often it is refreshed
  ended_ms int64 not null
);
create index sign_ins_of_user on sign_ins (user_id, id);
create index sign_ins_ended on sign_ins (ended_ms) where ended_ms > 0;
create index sign_ins_expire on sign_ins (expires_ms);

-- Those that were used stay until they would have expired, so that a replay is known for one.
create table refresh_tokens (
  id id64 primary key,
  sign_in id64 not null,
  hash bytes not null unique,        -- BLAKE2b-256
  expires_ms int64 not null,
  used_ms int64 not null
);
create index refresh_tokens_expire on refresh_tokens (expires_ms);

create table invitations (
  id id64 primary key,
  tenant id64 not null references tenants(id),
  hash bytes not null unique,
  role int64 not null,
  email text,                        -- whom it is for; null: whoever has it
  made_by id64 not null,             -- a user; 0: an admin key
  created_ms int64 not null,
  expires_ms int64 not null,
  used_ms int64 not null,
  used_by id64 not null
);
create index invitations_of_tenant on invitations (tenant, id);
create index invitations_expire on invitations (expires_ms);

create table password_resets (
  id id64 primary key,
  user_id id64 not null references users(id),
  hash bytes not null unique,
  expires_ms int64 not null,
  used_ms int64 not null
);
create index password_resets_of_user on password_resets (user_id, id);
create index password_resets_expire on password_resets (expires_ms);

-- Tickets that were not used yet; on PostgreSQL, where another process may have made them.
create table tickets (
  id id64 primary key,
  hash bytes not null unique,
  key_id id64 not null,              -- whose rights it has
  tenant id64 not null,
  path text not null,
  expires_ms int64 not null
);
create index tickets_expire on tickets (expires_ms);

-- An access token is a key of a person's.
alter table keys add column user_id id64 not null default 0; -- 0: no person's
alter table keys add column sign_in id64 not null default 0;
alter table keys add column role int64 not null default 0;   -- enum user_role, in the key's tenant
create index keys_of_user on keys (user_id, id) where user_id > 0;
create index keys_of_user_expire on keys (expires_ms) where user_id > 0;
