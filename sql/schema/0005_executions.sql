-- Squads and their executions. Times are milliseconds UTC, 0 for none.

create table squads (
  id id64 primary key,
  tenant id64 not null references tenants(id),
  name text not null,
  description text not null,
  status int64 not null,             -- enum squad_status
  config json,
  version int64 not null,
  created_ms int64 not null,
  updated_ms int64 not null
);
create index squads_of_tenant on squads (tenant, id);

-- Written by the process that owns the queue, with the queue's own batches. Those whose finished_ms is 0 are what its
-- memory holds.
create table executions (
  id id64 primary key,
  tenant id64 not null,
  squad id64 not null,
  task id64 not null,                -- 0: of none
  name text not null,
  state int64 not null,              -- enum execution_state
  block int64 not null,              -- enum execution_block
  priority int64 not null,           -- enum work_priority
  paused bool not null,
  claimed bool not null,             -- a worker has taken a step since it was queued
  attempt int64 not null,
  attempts_max int64 not null,
  backoff_ms int64 not null,
  deadline_ms int64 not null,
  retry_ms int64 not null,
  created_ms int64 not null,
  started_ms int64 not null,
  changed_ms int64 not null,
  finished_ms int64 not null,
  last_event int64 not null,
  created_by text not null,
  why text                           -- it ended
);
create index executions_of_tenant on executions (tenant, id);
create index executions_of_squad on executions (squad, id);
create index executions_live on executions (id) where finished_ms = 0;

create table execution_steps (
  execution id64 not null,
  place int64 not null,              -- from 0
  id id64 not null,
  member id64 not null,              -- 0: whoever takes it
  kind int64 not null,               -- enum step_kind
  name text not null,
  awaited text,
  until_ms int64 not null,
  timeout_ms int64 not null,
  attempts_max int64 not null,
  optional bool not null,
  needs bytes,                       -- varints: places
  input json,
  state int64 not null,              -- enum step_state
  progress int64 not null,
  signalled bool not null,
  item int64 not null,               -- the last one it had in the queue
  attempt int64 not null,
  agent text,                        -- who had it last
  started_ms int64 not null,
  finished_ms int64 not null,
  error text,
  used json,
  result json,
  primary key (execution, place)
);

-- What happened in an execution, a row for each batch that touched it. `first` is the number of its first event;
-- (seq, place in the batch) is their order in all of the tenant's executions.
create table execution_events (
  execution id64 not null,
  first int64 not null,
  tenant id64 not null,
  squad id64 not null,
  seq int64 not null,
  at_ms int64 not null,
  events bytes not null,
  primary key (execution, first)
);
create index execution_events_of_squad on execution_events (squad, seq);
create index execution_events_in_order on execution_events (seq);
