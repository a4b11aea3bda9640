-- Which part of the work a step belongs to.

alter table execution_steps add column phase int64 not null default 0; -- enum step_phase
