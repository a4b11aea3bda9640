-- Schedules, and the fires that were dealt with.

create table schedules (
  id id64 primary key,
  tenant id64 not null references tenants(id),
  name text not null,
  definition json not null,          -- what it was made of, as changed since: type schedule_new
  created_ms int64 not null,
  changed_ms int64 not null,
  paused_ms int64 not null,          -- 0: it is active
  next_ms int64 not null,            -- the time of the first fire that was not dealt with; 0: it is paused
  due_ms int64 not null,             -- when it is to be looked at for it; 0: it is paused
  last_ms int64 not null,            -- the time of the last fire that was dealt with, 0: none; never goes back
  last_item id64 not null,           -- what was enqueued last, 0: nothing yet
  unique (tenant, name)
);
create index schedules_of_tenant on schedules (tenant, id);
create index schedules_due on schedules (due_ms);

-- A fire has one row, whoever deals with it.
create table schedule_fires (
  schedule id64 not null,
  at_ms int64 not null,              -- by the cron line
  since_ms int64 not null,           -- it stands for all fires from then on; at_ms: for itself
  done_ms int64 not null,
  state int64 not null,              -- enum fire_state
  item id64 not null,                -- what it enqueued, 0: nothing
  detail text,                       -- why it was refused
  primary key (schedule, at_ms)
);
create index schedule_fires_done on schedule_fires (done_ms);
