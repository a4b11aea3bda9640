-- Members of squads, and what a tenant may have. Times are milliseconds UTC, 0 for none.

alter table tenants add column plan int64 not null default 1; -- enum tenant_plan

create table squad_members (
  id id64 primary key,
  tenant id64 not null references tenants(id),
  squad id64 not null references squads(id),
  name text not null,
  role int64 not null,               -- enum member_role
  specialization text,
  town_role int64 not null,          -- enum town_role
  provider text,
  model text,
  prompt text,                       -- its own; else the one that ships for its role
  agent id64 not null,               -- 0: none
  active bool not null,
  version int64 not null,
  created_ms int64 not null,
  updated_ms int64 not null,
  unique (squad, name)
);
create index squad_members_of_squad on squad_members (squad, id);
