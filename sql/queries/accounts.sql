-- People: users, where they belong, where they are signed in.

-- struct: user_row (id id64, email text, name text, password text, password_ms int64, created_ms int64)
-- struct: membership_row (id id64, tenant id64, user_id id64, role int64, created_ms int64)
-- struct: sign_in_row (
--   id id64, user_id id64, tenant id64, client text, address text, created_ms int64, refreshed_ms int64,
--   expires_ms int64, ended_ms int64)
-- struct: refresh_token_row (id id64, sign_in id64, hash bytes, expires_ms int64, used_ms int64)
-- struct: invitation_row (
--   id id64, tenant id64, hash bytes, role int64, email text?, made_by id64, created_ms int64, expires_ms int64,
--   used_ms int64, used_by id64)
-- struct: password_reset_row (id id64, user_id id64, hash bytes, expires_ms int64, used_ms int64)
-- struct: key_place (id id64, tenant id64)
-- struct: ticket_row (id id64, hash bytes, key_id id64, tenant id64, path text, expires_ms int64)

-- ---- users ----

-- Returns a row so that an address that is taken shows at once.
-- name: user_insert :one
-- in: user_row
-- out: id_row
INSERT INTO users (id, email, name, password, password_ms, created_ms) VALUES ($1, $2, $3, $4, $5, $6) RETURNING id

-- name: user_get :one
-- in: id_row
-- out: user_row
SELECT id, email, name, password, password_ms, created_ms FROM users WHERE id = $1

-- name: user_of_email :one
-- in: (email text)
-- out: user_row
SELECT id, email, name, password, password_ms, created_ms FROM users WHERE email = $1

-- Who signs in waits here for whoever changes the password, and the reverse; on SQLite nobody else could.
-- name: user_hold :one
-- in: id_row
-- out: user_row
-- dialect: sqlite
SELECT id, email, name, password, password_ms, created_ms FROM users WHERE id = $1
-- dialect: postgres
SELECT id, email, name, password, password_ms, created_ms FROM users WHERE id = $1 FOR NO KEY UPDATE

-- name: user_password_set :exec
-- in: (id id64, password text, password_ms int64)
UPDATE users SET password = $2, password_ms = $3 WHERE id = $1

-- ---- tenants ----

-- name: tenant_found :exec
-- in: (id id64, kind int64)
UPDATE tenants SET kind = $2 WHERE id = $1

-- Who changes its people waits here for whoever does so already.
-- name: tenant_hold :one
-- in: id_row
-- out: (id id64, kind int64, name text)
-- dialect: sqlite
SELECT id, kind, name FROM tenants WHERE id = $1
-- dialect: postgres
SELECT id, kind, name FROM tenants WHERE id = $1 FOR NO KEY UPDATE

-- ---- memberships ----

-- name: membership_insert :one
-- in: membership_row
-- out: id_row
INSERT INTO memberships (id, tenant, user_id, role, created_ms) VALUES ($1, $2, $3, $4, $5) RETURNING id

-- name: membership_get :one
-- in: (tenant id64, user_id id64)
-- out: membership_row
SELECT id, tenant, user_id, role, created_ms FROM memberships WHERE tenant = $1 AND user_id = $2

-- Oldest first.
-- name: membership_of_user :many
-- in: (user_id id64, count int64)
-- out: (tenant id64, name text, kind int64, role int64)
SELECT m.tenant, t.name, t.kind, m.role FROM memberships m JOIN tenants t ON t.id = m.tenant
WHERE m.user_id = $1 ORDER BY m.id LIMIT $2

-- name: membership_page :many
-- in: (tenant id64, below id64, visit int64)
-- out: (id id64, user_id id64, role int64, created_ms int64, email text, name text)
SELECT m.id, m.user_id, m.role, m.created_ms, u.email, u.name FROM memberships m JOIN users u ON u.id = m.user_id
WHERE m.tenant = $1 AND m.id < $2 ORDER BY m.id DESC LIMIT $3

-- name: membership_role_set :exec
-- in: (id id64, role int64)
UPDATE memberships SET role = $2 WHERE id = $1

-- name: membership_delete :exec
-- in: id_row
DELETE FROM memberships WHERE id = $1

-- Is there an owner beside this person?
-- name: membership_other_owner :many
-- in: (tenant id64, user_id id64, role int64)
-- out: id_row
SELECT id FROM memberships WHERE tenant = $1 AND user_id <> $2 AND role = $3 LIMIT 1

-- ---- where they are signed in ----

-- name: sign_in_insert :batch
-- in: sign_in_row
INSERT INTO sign_ins (id, user_id, tenant, client, address, created_ms, refreshed_ms, expires_ms, ended_ms)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)

-- name: sign_in_get :one
-- in: id_row
-- out: sign_in_row
SELECT id, user_id, tenant, client, address, created_ms, refreshed_ms, expires_ms, ended_ms FROM sign_ins WHERE id = $1

-- name: sign_in_refreshed :exec
-- in: (id id64, tenant id64, address text, refreshed_ms int64)
UPDATE sign_ins SET tenant = $2, address = $3, refreshed_ms = $4 WHERE id = $1

-- name: sign_in_end :one
-- in: (id id64, user_id id64, ended_ms int64)
-- out: id_row
UPDATE sign_ins SET ended_ms = $3 WHERE id = $1 AND user_id = $2 AND ended_ms = 0 RETURNING id

-- All of a person's but one.
-- name: sign_in_end_others :exec
-- in: (user_id id64, keep id64, ended_ms int64)
UPDATE sign_ins SET ended_ms = $3 WHERE user_id = $1 AND id <> $2 AND ended_ms = 0

-- name: sign_in_page :many
-- in: (user_id id64, below id64, visit int64)
-- out: sign_in_row
SELECT id, user_id, tenant, client, address, created_ms, refreshed_ms, expires_ms, ended_ms FROM sign_ins
WHERE user_id = $1 AND id < $2 ORDER BY id DESC LIMIT $3

-- ---- refresh tokens ----

-- name: refresh_token_insert :batch
-- in: refresh_token_row
INSERT INTO refresh_tokens (id, sign_in, hash, expires_ms, used_ms) VALUES ($1, $2, $3, $4, $5)

-- Of two that come with the same one, one is given the row.
-- name: refresh_token_use :one
-- in: (hash bytes, used_ms int64)
-- out: refresh_token_row
UPDATE refresh_tokens SET used_ms = $2 WHERE hash = $1 AND used_ms = 0
RETURNING id, sign_in, hash, expires_ms, used_ms

-- name: refresh_token_of_hash :one
-- in: (hash bytes)
-- out: refresh_token_row
SELECT id, sign_in, hash, expires_ms, used_ms FROM refresh_tokens WHERE hash = $1

-- ---- invitations ----

-- name: invitation_insert :batch
-- in: invitation_row
INSERT INTO invitations (id, tenant, hash, role, email, made_by, created_ms, expires_ms, used_ms, used_by)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)

-- name: invitation_of_hash :one
-- in: (hash bytes)
-- out: invitation_row
SELECT id, tenant, hash, role, email, made_by, created_ms, expires_ms, used_ms, used_by FROM invitations WHERE hash = $1

-- name: invitation_use :one
-- in: (id id64, used_ms int64, used_by id64)
-- out: id_row
UPDATE invitations SET used_ms = $2, used_by = $3 WHERE id = $1 AND used_ms = 0 RETURNING id

-- name: invitation_delete :one
-- in: (id id64, tenant id64)
-- out: id_row
DELETE FROM invitations WHERE id = $1 AND tenant = $2 RETURNING id

-- name: invitation_page :many
-- in: (tenant id64, below id64, visit int64)
-- out: invitation_row
SELECT id, tenant, hash, role, email, made_by, created_ms, expires_ms, used_ms, used_by FROM invitations
WHERE tenant = $1 AND id < $2 ORDER BY id DESC LIMIT $3

-- ---- password resets ----

-- name: password_reset_insert :batch
-- in: password_reset_row
INSERT INTO password_resets (id, user_id, hash, expires_ms, used_ms) VALUES ($1, $2, $3, $4, $5)

-- name: password_reset_of_hash :one
-- in: (hash bytes)
-- out: password_reset_row
SELECT id, user_id, hash, expires_ms, used_ms FROM password_resets WHERE hash = $1

-- Those that a person has: with a newer one, or another password, they count no more.
-- name: password_reset_void :exec
-- in: (user_id id64, used_ms int64)
UPDATE password_resets SET used_ms = $2 WHERE user_id = $1 AND used_ms = 0

-- ---- tickets ----

-- name: ticket_insert :batch
-- in: ticket_row
INSERT INTO tickets (id, hash, key_id, tenant, path, expires_ms) VALUES ($1, $2, $3, $4, $5, $6)

-- name: ticket_take :one
-- in: (hash bytes)
-- out: ticket_row
DELETE FROM tickets WHERE hash = $1 RETURNING id, hash, key_id, tenant, path, expires_ms

-- ---- clearing away ----

-- name: refresh_token_clear :many
-- in: upkeep_in
-- out: id_row
DELETE FROM refresh_tokens
WHERE id IN (SELECT id FROM refresh_tokens WHERE expires_ms < $1 ORDER BY expires_ms LIMIT $2) RETURNING id

-- name: sign_in_clear_ended :many
-- in: upkeep_in
-- out: id_row
DELETE FROM sign_ins
WHERE id IN (SELECT id FROM sign_ins WHERE ended_ms > 0 AND ended_ms < $1 ORDER BY ended_ms LIMIT $2) RETURNING id

-- name: sign_in_clear_expired :many
-- in: upkeep_in
-- out: id_row
DELETE FROM sign_ins WHERE id IN (SELECT id FROM sign_ins WHERE expires_ms < $1 ORDER BY expires_ms LIMIT $2) RETURNING id

-- name: invitation_clear :many
-- in: upkeep_in
-- out: id_row
DELETE FROM invitations
WHERE id IN (SELECT id FROM invitations WHERE expires_ms < $1 ORDER BY expires_ms LIMIT $2) RETURNING id

-- name: password_reset_clear :many
-- in: upkeep_in
-- out: id_row
DELETE FROM password_resets
WHERE id IN (SELECT id FROM password_resets WHERE expires_ms < $1 ORDER BY expires_ms LIMIT $2) RETURNING id

-- name: ticket_clear :many
-- in: upkeep_in
-- out: id_row
DELETE FROM tickets WHERE id IN (SELECT id FROM tickets WHERE expires_ms < $1 ORDER BY expires_ms LIMIT $2) RETURNING id

-- Access tokens that have expired.
-- name: key_clear_of_users :many
-- in: upkeep_in
-- out: key_place
DELETE FROM keys
WHERE id IN (SELECT id FROM keys WHERE user_id > 0 AND expires_ms < $1 ORDER BY expires_ms LIMIT $2) RETURNING id, tenant

-- ---- access tokens ----

-- name: key_revoke_of_sign_in :many
-- in: (user_id id64, sign_in id64, revoked_ms int64)
-- out: key_place
UPDATE keys SET revoked_ms = $3 WHERE user_id = $1 AND user_id > 0 AND sign_in = $2 AND revoked_ms = 0 AND expires_ms > $3
RETURNING id, tenant

-- Those of all sessions but one.
-- name: key_revoke_of_others :many
-- in: (user_id id64, keep id64, revoked_ms int64)
-- out: key_place
UPDATE keys SET revoked_ms = $3 WHERE user_id = $1 AND user_id > 0 AND sign_in <> $2 AND revoked_ms = 0 AND expires_ms > $3
RETURNING id, tenant

-- name: key_revoke_of_user :many
-- in: (user_id id64, tenant id64, revoked_ms int64)
-- out: key_place
UPDATE keys SET revoked_ms = $3 WHERE user_id = $1 AND user_id > 0 AND tenant = $2 AND revoked_ms = 0 AND expires_ms > $3
RETURNING id, tenant
