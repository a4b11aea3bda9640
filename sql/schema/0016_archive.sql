-- Executions that ended long ago and are in files, and how many of each squad ended on a day. Times are milliseconds UTC,
-- 0 for none.

create index executions_ended on executions (tenant, finished_ms) where finished_ms > 0;

-- A file with what ended in a tenant from from_ms on, before to_ms. Nothing else ends there any more.
create table archives (
  id id64 primary key,
  tenant id64 not null references tenants(id),
  state int64 not null,              -- enum archive_state
  from_ms int64 not null,
  to_ms int64 not null,
  held_ms int64 not null,            -- without those that were restored at that time or later
  file text,                         -- in the archive's folder; NULL: there is none yet
  executions int64 not null,         -- in the file …
  restored int64 not null,           -- … of which so many are in the tables again
  first id64 not null,               -- of their ids
  last id64 not null,
  bytes int64 not null,
  plain_bytes int64 not null,
  created_ms int64 not null
);
create index archives_of_tenant on archives (tenant, id);
create index archives_by_last on archives (tenant, last);
create index archives_open on archives (id) where state <> 2;

-- Executions that are in a file, and do not count there, because they were put back into the tables.
create table archive_restored (
  execution id64 not null,
  archive id64 not null,
  restored_ms int64 not null,
  primary key (execution, archive)
);
create index archive_restored_of on archive_restored (archive);

-- What is to be done when there is time: of a tenant, or of all (0).
create table archive_wishes (
  kind int64 not null,               -- enum archive_wish
  tenant id64 not null,
  before_ms int64 not null,
  primary key (kind, tenant)
);

-- How many executions of a squad ended on a day. Kept when the executions are not any more.
create table squad_days (
  squad id64 not null,
  day_ms int64 not null,             -- its first millisecond
  tenant id64 not null,
  completed int64 not null,
  failed int64 not null,
  cancelled int64 not null,
  run_ms int64 not null,             -- from start to end, of all of them
  primary key (squad, day_ms)
);
create table squad_days_counted (
  tenant id64 primary key,
  until_ms int64 not null            -- what ended before this is counted
);
