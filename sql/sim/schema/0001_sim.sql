-- What simulated agents did: runs, their cycles, the sessions of each agent and what happened in them. Written by the
-- recorder (src/sim/recorder.h). Times are milliseconds UTC; began, started, ended and at are of the simulated clock.
--
-- A cycle that was run again after a resume has rows of several attempts, marked replay: what it did, once, is its
-- rows of the highest attempt. is_simulated is true everywhere, so that a store shared with real data can tell.

create table sim_runs (
  run id64 primary key,
  name text not null unique,         -- run_… as the command line names it
  title text not null,               -- '' for none
  seed text not null,
  scenario text not null,
  scenario_hash int64 not null,
  population text not null,
  target text not null,
  version text not null,             -- of the program that began it
  agents int64 not null,
  attempts int64 not null,           -- resumes so far
  started_ms int64 not null,         -- real
  is_simulated bool not null
);

-- Written when all sessions of the cycle are: a cycle without its row was cut off.
create table sim_cycles (
  run id64 not null references sim_runs(run),
  cycle int64 not null,
  attempt int64 not null,
  replay bool not null,
  is_simulated bool not null,
  began_ms int64 not null,
  took_ms int64 not null,            -- real
  agents int64 not null,             -- admitted
  active int64 not null,             -- of them, with a session
  failures int64 not null,
  requests int64 not null,
  primary key (run, cycle, attempt)
);

create table sim_sessions (
  run id64 not null references sim_runs(run),
  cycle int64 not null,
  attempt int64 not null,
  agent int64 not null,              -- its number in the population
  kind text not null,                -- session, idle, offers or cleanup
  number int64 not null,             -- of the agent's sessions of that kind in this cycle, from 0
  replay bool not null,
  is_simulated bool not null,
  agent_id text not null,
  cohort text not null,              -- '' for none
  outcome text not null,             -- one of the scenario's
  failure text,                      -- why it failed
  started_ms int64 not null,
  ended_ms int64 not null,
  calls int64 not null,
  failed_calls int64 not null,
  kept json not null,                -- the scenario's `keep`, by name; without what was not set
  primary key (run, cycle, attempt, agent, kind, number)
);

create table sim_events (
  run id64 not null,
  cycle int64 not null,
  attempt int64 not null,
  agent int64 not null,
  kind text not null,
  number int64 not null,
  seq int64 not null,                -- in its session, from 0
  replay bool not null,
  is_simulated bool not null,
  at_ms int64 not null,
  type text not null,
  payload json not null,
  primary key (run, cycle, attempt, agent, kind, number, seq)
);
