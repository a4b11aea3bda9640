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
-- out: cost_entry_row
SELECT id, tenant, squad, execution, step, member, attempt, at_ms, provider, model, counted, input, cached, output,
  listed, input_price, cached_price, output_price, priced, micro_usd
FROM cost_entries WHERE execution = $1 ORDER BY id DESC LIMIT $2

-- struct: cost_sum_row (
--   squad id64, member id64, provider text, model text, calls int64, priced int64, input int64, cached int64,
--   output int64, micro_usd int64)
-- name: cost_sum_of_execution :many
-- in: id_row
-- out: cost_sum_row
SELECT squad, member, provider, model, count(*) AS calls, count(CASE WHEN priced THEN 1 END) AS priced,
  CAST(sum(input) AS BIGINT) AS input, CAST(sum(cached) AS BIGINT) AS cached, CAST(sum(output) AS BIGINT) AS output,
  CAST(sum(micro_usd) AS BIGINT) AS micro_usd
FROM cost_entries WHERE execution = $1 GROUP BY squad, member, provider, model

-- name: cost_sum_of_squad :many
-- in: (squad id64, from_ms int64, until_ms int64)
-- out: cost_sum_row
SELECT squad, member, provider, model, count(*) AS calls, count(CASE WHEN priced THEN 1 END) AS priced,
  CAST(sum(input) AS BIGINT) AS input, CAST(sum(cached) AS BIGINT) AS cached, CAST(sum(output) AS BIGINT) AS output,
  CAST(sum(micro_usd) AS BIGINT) AS micro_usd
FROM cost_entries WHERE squad = $1 AND at_ms >= $2 AND at_ms < $3 GROUP BY squad, member, provider, model

-- name: cost_sum_of_tenant :many
-- in: (tenant id64, from_ms int64, until_ms int64)
-- out: cost_sum_row
SELECT squad, member, provider, model, count(*) AS calls, count(CASE WHEN priced THEN 1 END) AS priced,
  CAST(sum(input) AS BIGINT) AS input, CAST(sum(cached) AS BIGINT) AS cached, CAST(sum(output) AS BIGINT) AS output,
  CAST(sum(micro_usd) AS BIGINT) AS micro_usd
FROM cost_entries WHERE tenant = $1 AND at_ms >= $2 AND at_ms < $3 GROUP BY squad, member, provider, model

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
