-- What steps ask, and whom it goes to. Times are milliseconds UTC, 0 for none.

-- How many questions a step has asked.
alter table execution_steps add column questions int64 not null default 0;

-- Written with the queue's own batches. Those whose ended_ms is 0 are in the memory of who owns the queue.
create table questions (
  id id64 primary key,
  tenant id64 not null,
  squad id64 not null,
  execution id64 not null,
  step id64 not null,
  asker id64 not null,               -- the step's member; 0: none
  asked_by text not null,
  kind text not null,
  question text not null,
  rule id64 not null,                -- 0: built in
  levels bytes not null,             -- varints: role + 1 and member of each
  wait_ms int64 not null,
  again_ms int64 not null,
  state int64 not null,              -- enum question_state
  level int64 not null,
  times int64 not null,
  due_ms int64 not null,
  asked_ms int64 not null,
  ended_ms int64 not null,
  answer text,
  answered_by text,
  answerer id64 not null             -- 0: none
);
create index questions_of_tenant on questions (tenant, id);
create index questions_of_squad on questions (squad, id);
create index questions_of_execution on questions (execution, id);
create index questions_of_step on questions (step, id);
create index questions_open on questions (id) where ended_ms = 0;

-- What happened to a question: the events of its execution that tell of it.
create table question_turns (
  question id64 not null,
  number int64 not null,             -- of the event
  at_ms int64 not null,
  kind int64 not null,               -- enum execution_event_kind
  level int64 not null,
  member id64 not null,              -- 0: none
  agent text,
  said text,
  primary key (question, number)
);

create table routing_rules (
  id id64 primary key,
  tenant id64 not null references tenants(id),
  squad id64 not null,               -- 0: of the tenant
  kind text not null,
  from_role int64 not null,          -- enum member_role; -1: any
  keywords text not null,            -- a line each
  goes_to text not null,             -- a line each: roles and members
  on_silence int64 not null,         -- enum routing_silence
  priority int64 not null,
  active bool not null,
  version int64 not null,
  created_ms int64 not null,
  updated_ms int64 not null
);
create index routing_rules_of_tenant on routing_rules (tenant, id);
create index routing_rules_of_squad on routing_rules (tenant, squad, priority, id);
