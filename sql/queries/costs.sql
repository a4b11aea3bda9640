-- What calls of models cost. Sums are by squad, member and model; who shows them sums on.

-- struct: cost_entry_row (
--   id id64, tenant id64, squad id64, execution id64, step id64, member id64, attempt int64, at_ms int64, provider text,
--   model text, counted bool, input int64, cached int64, output int64, listed bool, input_price int64,
--   cached_price int64, output_price int64, priced bool, micro_usd int64)
-- name: cost_entry_insert :batch
-- in: cost_entry_row
INSERT INTO cost_entries (id, tenant, squad, execution, step, member, attempt, at_ms, provider, model, counted, input,
  cached, output, listed, input_price, cached_price, output_price, priced, micro_usd)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20)

-- Newest first.
-- name: cost_entry_of_execution :many
-- in: (execution id64, count int64)
-- out: (
--   id id64, step id64, member id64, member_name text, attempt int64, at_ms int64, provider text, model text,
--   counted bool, input int64, cached int64, output int64, listed bool, input_price int64, cached_price int64,
--   output_price int64, priced bool, micro_usd int64)
SELECT c.id, c.step, c.member, coalesce(m.name, '') AS member_name, c.attempt, c.at_ms, c.provider, c.model, c.counted,
  c.input, c.cached, c.output, c.listed, c.input_price, c.cached_price, c.output_price, c.priced, c.micro_usd
FROM cost_entries c LEFT JOIN squad_members m ON m.id = c.member
WHERE c.execution = $1 ORDER BY c.id DESC LIMIT $2

-- name: cost_step_names :many
-- in: id_row
-- out: (id id64, name text)
SELECT id, name FROM execution_steps WHERE execution = $1

-- Names are empty where a member was taken out.
-- struct: cost_sum_row (
--   squad id64, squad_name text, member id64, member_name text, provider text, model text, calls int64, priced int64,
--   input int64, cached int64, output int64, micro_usd int64)
-- name: cost_sum_of_execution :many
-- in: id_row
-- out: cost_sum_row
SELECT c.squad, coalesce(s.name, '') AS squad_name, c.member, coalesce(m.name, '') AS member_name, c.provider, c.model,
  c.calls, c.priced, c.input, c.cached, c.output, c.micro_usd
FROM (SELECT squad, member, provider, model, count(*) AS calls, count(CASE WHEN priced THEN 1 END) AS priced,
    CAST(sum(input) AS BIGINT) AS input, CAST(sum(cached) AS BIGINT) AS cached, CAST(sum(output) AS BIGINT) AS output,
    CAST(sum(micro_usd) AS BIGINT) AS micro_usd
  FROM cost_entries WHERE execution = $1 GROUP BY squad, member, provider, model) c
LEFT JOIN squads s ON s.id = c.squad LEFT JOIN squad_members m ON m.id = c.member

-- name: cost_sum_of_squad :many
-- in: (squad id64, from_ms int64, until_ms int64)
-- out: cost_sum_row
SELECT c.squad, coalesce(s.name, '') AS squad_name, c.member, coalesce(m.name, '') AS member_name, c.provider, c.model,
  c.calls, c.priced, c.input, c.cached, c.output, c.micro_usd
FROM (SELECT squad, member, provider, model, count(*) AS calls, count(CASE WHEN priced THEN 1 END) AS priced,
    CAST(sum(input) AS BIGINT) AS input, CAST(sum(cached) AS BIGINT) AS cached, CAST(sum(output) AS BIGINT) AS output,
    CAST(sum(micro_usd) AS BIGINT) AS micro_usd
  FROM cost_entries WHERE squad = $1 AND at_ms >= $2 AND at_ms < $3 GROUP BY squad, member, provider, model) c
LEFT JOIN squads s ON s.id = c.squad LEFT JOIN squad_members m ON m.id = c.member

-- name: cost_sum_of_tenant :many
-- in: (tenant id64, from_ms int64, until_ms int64)
-- out: cost_sum_row
SELECT c.squad, coalesce(s.name, '') AS squad_name, c.member, coalesce(m.name, '') AS member_name, c.provider, c.model,
  c.calls, c.priced, c.input, c.cached, c.output, c.micro_usd
FROM (SELECT squad, member, provider, model, count(*) AS calls, count(CASE WHEN priced THEN 1 END) AS priced,
    CAST(sum(input) AS BIGINT) AS input, CAST(sum(cached) AS BIGINT) AS cached, CAST(sum(output) AS BIGINT) AS output,
    CAST(sum(micro_usd) AS BIGINT) AS micro_usd
  FROM cost_entries WHERE tenant = $1 AND at_ms >= $2 AND at_ms < $3 GROUP BY squad, member, provider, model) c
LEFT JOIN squads s ON s.id = c.squad LEFT JOIN squad_members m ON m.id = c.member

-- Of calls whose cost is known.
-- name: cost_spent_of_squad :one
-- in: (squad id64, from_ms int64, until_ms int64)
-- out: (micro_usd int64)
SELECT CAST(coalesce(sum(micro_usd), 0) AS BIGINT) AS micro_usd
FROM cost_entries WHERE squad = $1 AND at_ms >= $2 AND at_ms < $3

-- name: squad_budget_get :one
-- in: id_row
-- out: (micro_usd int64)
SELECT micro_usd FROM squad_budgets WHERE squad = $1

-- name: squad_budget_insert :batch
-- in: (squad id64, tenant id64, micro_usd int64, updated_ms int64)
INSERT INTO squad_budgets (squad, tenant, micro_usd, updated_ms) VALUES ($1, $2, $3, $4)

-- name: squad_budget_delete :batch
-- in: id_row
DELETE FROM squad_budgets WHERE squad = $1
