-- Projects of squads, and their tasks. Times are milliseconds UTC, 0 for none.

create table projects (
  id id64 primary key,
  tenant id64 not null references tenants(id),
  squad id64 not null references squads(id),
  name text not null,
  description text not null,
  repository text,
  tickets text,
  version int64 not null,
  created_ms int64 not null,
  updated_ms int64 not null
);
create index projects_of_tenant on projects (tenant, id);

create table tasks (
  id id64 primary key,
  tenant id64 not null references tenants(id),
  project id64 not null references projects(id),
  squad id64 not null,
  external text,                     -- its id elsewhere
  title text not null,
  description text not null,
  status int64 not null,             -- enum task_status; executions of it set it too, in the queue's batches
  priority int64 not null,           -- enum work_priority
  version int64 not null,
  created_ms int64 not null,
  updated_ms int64 not null,
  unique (project, external)
);
create index tasks_of_tenant on tasks (tenant, id);
create index tasks_of_project on tasks (project, id);

-- A task and one that must be completed before it, of the same project. Never a ring.
create table task_dependencies (
  task id64 not null references tasks(id),
  needs id64 not null references tasks(id),
  primary key (task, needs)
);
