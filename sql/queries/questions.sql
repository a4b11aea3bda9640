-- Questions of steps; see src/flow/question.c.

-- struct: question_row (
--   id id64, tenant id64, squad id64, execution id64, step id64, asker id64, asked_by text, kind text, question text,
--   rule id64, levels bytes, wait_ms int64, again_ms int64, state int64, level int64, times int64, due_ms int64,
--   asked_ms int64, ended_ms int64, answer text?, answered_by text?, answerer id64)
-- name: question_insert :batch
-- in: question_row
INSERT INTO questions (id, tenant, squad, execution, step, asker, asked_by, kind, question, rule, levels, wait_ms,
  again_ms, state, level, times, due_ms, asked_ms, ended_ms, answer, answered_by, answerer)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22)

-- struct: question_change_row (
--   id id64, state int64, level int64, times int64, due_ms int64, ended_ms int64, answer text?, answered_by text?,
--   answerer id64)
-- name: question_update :batch
-- in: question_change_row
UPDATE questions SET state = $2, level = $3, times = $4, due_ms = $5, ended_ms = $6, answer = $7, answered_by = $8,
  answerer = $9
WHERE id = $1

-- name: question_get :one
-- in: id_row
-- out: question_row
SELECT id, tenant, squad, execution, step, asker, asked_by, kind, question, rule, levels, wait_ms, again_ms, state, level,
  times, due_ms, asked_ms, ended_ms, answer, answered_by, answerer
FROM questions WHERE id = $1

-- name: question_open_all :many
-- out: question_row
SELECT id, tenant, squad, execution, step, asker, asked_by, kind, question, rule, levels, wait_ms, again_ms, state, level,
  times, due_ms, asked_ms, ended_ms, answer, answered_by, answerer
FROM questions WHERE ended_ms = 0 ORDER BY id

-- Oldest first.
-- name: question_of_step :many
-- in: id_row
-- out: question_row
SELECT id, tenant, squad, execution, step, asker, asked_by, kind, question, rule, levels, wait_ms, again_ms, state, level,
  times, due_ms, asked_ms, ended_ms, answer, answered_by, answerer
FROM questions WHERE step = $1 ORDER BY id

-- Newest first, as the next two.
-- name: question_page :many
-- in: (tenant id64, below id64, visit int64)
-- out: question_row
SELECT id, tenant, squad, execution, step, asker, asked_by, kind, question, rule, levels, wait_ms, again_ms, state, level,
  times, due_ms, asked_ms, ended_ms, answer, answered_by, answerer
FROM questions WHERE tenant = $1 AND id < $2 ORDER BY id DESC LIMIT $3

-- name: question_page_of_squad :many
-- in: (squad id64, below id64, visit int64)
-- out: question_row
SELECT id, tenant, squad, execution, step, asker, asked_by, kind, question, rule, levels, wait_ms, again_ms, state, level,
  times, due_ms, asked_ms, ended_ms, answer, answered_by, answerer
FROM questions WHERE squad = $1 AND id < $2 ORDER BY id DESC LIMIT $3

-- name: question_page_of_execution :many
-- in: (execution id64, below id64, visit int64)
-- out: question_row
SELECT id, tenant, squad, execution, step, asker, asked_by, kind, question, rule, levels, wait_ms, again_ms, state, level,
  times, due_ms, asked_ms, ended_ms, answer, answered_by, answerer
FROM questions WHERE execution = $1 AND id < $2 ORDER BY id DESC LIMIT $3

-- struct: question_turn_row (
--   question id64, number int64, at_ms int64, kind int64, level int64, member id64, agent text?, said text?)
-- name: question_turn_insert :batch
-- in: question_turn_row
INSERT INTO question_turns (question, number, at_ms, kind, level, member, agent, said)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8)

-- name: question_turn_all :many
-- in: id_row
-- out: question_turn_row
SELECT question, number, at_ms, kind, level, member, agent, said FROM question_turns WHERE question = $1 ORDER BY number
