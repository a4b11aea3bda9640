-- What calls of models cost: an entry for each, written in the batch that settles the step that made it. Money is
-- millionths of a dollar, prices are for a million tokens, of the time of the call.

create table cost_entries (
  id id64 primary key,
  tenant id64 not null,
  squad id64 not null,
  execution id64 not null,
  step id64 not null,
  member id64 not null,              -- 0: nobody's step
  attempt int64 not null,
  at_ms int64 not null,
  provider text not null,
  model text not null,
  counted bool not null,             -- the tokens are known …
  input int64 not null,              -- … all that were read
  cached int64 not null,             -- of them out of a cache
  output int64 not null,
  listed bool not null,              -- the price is known …
  input_price int64 not null,
  cached_price int64 not null,
  output_price int64 not null,
  priced bool not null,              -- the cost is known …
  micro_usd int64 not null
);
create index cost_entries_of_execution on cost_entries (execution, id);
create index cost_entries_of_squad on cost_entries (squad, at_ms);
create index cost_entries_of_tenant on cost_entries (tenant, at_ms);
