-- What squads may spend on models in a month (UTC), in millionths of a dollar.

create table squad_budgets (
  squad id64 primary key,
  tenant id64 not null,
  micro_usd int64 not null,
  updated_ms int64 not null
);
