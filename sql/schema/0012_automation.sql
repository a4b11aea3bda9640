-- Executions that schedules and hooks begin, and tasks that can be deleted.

alter table schedules add column last_execution id64 not null default 0; -- what was begun last, 0: nothing yet
alter table schedules add column waiting_ms int64 not null default 0; -- the fire that waits for its end; 0: none does
create index schedules_waiting on schedules (id) where waiting_ms > 0;
alter table schedule_fires add column execution id64 not null default 0; -- what it began, 0: none

alter table hook_deliveries add column task id64 not null default 0; -- what was made of it, 0: none …
alter table hook_deliveries add column execution id64 not null default 0; -- … and begun, or told of it

create index executions_of_task on executions (task, id) where task > 0;
create index task_dependencies_needed on task_dependencies (needs);
