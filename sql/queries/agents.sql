-- Agents: who they are, what they can do, how they are paged. Beside each stands a row of liveness.

-- struct: agent_row (
--   id id64, tenant id64, handle text, name text, type int64, visibility int64, protocols int64, description text?,
--   endpoint text?, homepage text?, avatar text?, operator text?, tags json?, metadata json?, public_key bytes?,
--   key_proved_ms int64, version int64, created_ms int64, updated_ms int64, deleted_ms int64)

-- An agent with its liveness and capabilities, those as [{"capability":SLUG,"endpoint":URL or null},...].
-- struct: agent_full_row (
--   id id64, tenant id64, handle text, name text, type int64, visibility int64, protocols int64, description text?,
--   endpoint text?, homepage text?, avatar text?, operator text?, tags json?, metadata json?, public_key bytes?,
--   key_proved_ms int64, version int64, created_ms int64, updated_ms int64, deleted_ms int64,
--   status int64, since_ms int64, flips int64, capabilities json)

-- name: agent_insert :batch
-- in: agent_row
INSERT INTO agents (id, tenant, handle, name, type, visibility, protocols, description, endpoint, homepage, avatar,
  operator, tags, metadata, public_key, key_proved_ms, version, created_ms, updated_ms, deleted_ms)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20)

-- Everything but whose it is and since when. The caller holds agent_lock.
-- struct: agent_change_row (
--   id id64, handle text, name text, type int64, visibility int64, protocols int64, description text?, endpoint text?,
--   homepage text?, avatar text?, operator text?, tags json?, metadata json?, public_key bytes?, key_proved_ms int64,
--   version int64, updated_ms int64, deleted_ms int64)
-- name: agent_update :batch
-- in: agent_change_row
UPDATE agents SET handle = $2, name = $3, type = $4, visibility = $5, protocols = $6, description = $7, endpoint = $8,
  homepage = $9, avatar = $10, operator = $11, tags = $12, metadata = $13, public_key = $14, key_proved_ms = $15,
  version = $16, updated_ms = $17, deleted_ms = $18
WHERE id = $1

-- Nobody else changes it until the transaction ends; on SQLite nobody could.
-- name: agent_lock :one
-- in: id_row
-- out: id_row
-- dialect: sqlite
SELECT id FROM agents WHERE id = $1
-- dialect: postgres
SELECT id FROM agents WHERE id = $1 FOR UPDATE

-- name: agent_find :one
-- in: (handle text)
-- out: (id id64, tenant id64)
SELECT id, tenant FROM agents WHERE handle = $1

-- name: agent_get :one
-- in: id_row
-- out: agent_full_row
-- dialect: sqlite
SELECT a.id, a.tenant, a.handle, a.name, a.type, a.visibility, a.protocols, a.description, a.endpoint, a.homepage, a.avatar,
  a.operator, a.tags, a.metadata, a.public_key, a.key_proved_ms, a.version, a.created_ms, a.updated_ms, a.deleted_ms,
  l.status, l.since_ms, l.flips,
  (SELECT json_group_array(json_object('capability', c.slug, 'endpoint', ac.endpoint))
   FROM agent_capabilities ac JOIN capabilities c ON c.id = ac.capability WHERE ac.agent = a.id) AS capabilities
FROM agents a JOIN liveness l ON l.agent = a.id WHERE a.id = $1
-- dialect: postgres
SELECT a.id, a.tenant, a.handle, a.name, a.type, a.visibility, a.protocols, a.description, a.endpoint, a.homepage, a.avatar,
  a.operator, a.tags, a.metadata, a.public_key, a.key_proved_ms, a.version, a.created_ms, a.updated_ms, a.deleted_ms,
  l.status, l.since_ms, l.flips,
  coalesce((SELECT json_agg(json_build_object('capability', c.slug, 'endpoint', ac.endpoint))::text
   FROM agent_capabilities ac JOIN capabilities c ON c.id = ac.capability WHERE ac.agent = a.id), '[]') AS capabilities
FROM agents a JOIN liveness l ON l.agent = a.id WHERE a.id = $1

-- The highest ids of what has no slot.
-- name: directory_highest :one
-- out: (agents id64, attestations id64, capabilities id64, challenges id64, keys id64, tenants id64,
--   flips id64, webhooks id64, events id64, deliveries id64,
--   hooks id64, arrivals id64, squads id64, members id64, executions id64,
--   projects id64, tasks id64, users id64, memberships id64, sign_ins id64, refresh_tokens id64, invitations id64,
--   resets id64, tickets id64,
--   archives id64, archived id64)
SELECT coalesce((SELECT max(id) FROM agents), 0) AS agents, coalesce((SELECT max(id) FROM attestations), 0) AS attestations,
  coalesce((SELECT max(id) FROM capabilities), 0) AS capabilities, coalesce((SELECT max(id) FROM challenges), 0) AS challenges,
  coalesce((SELECT max(id) FROM keys), 0) AS keys, coalesce((SELECT max(id) FROM tenants), 0) AS tenants,
  coalesce((SELECT max(id) FROM liveness_log), 0) AS flips, coalesce((SELECT max(id) FROM webhooks), 0) AS webhooks,
  coalesce((SELECT max(id) FROM webhook_events), 0) AS events,
  coalesce((SELECT max(id) FROM webhook_deliveries), 0) AS deliveries,
  coalesce((SELECT max(id) FROM hooks), 0) AS hooks, coalesce((SELECT max(id) FROM hook_deliveries), 0) AS arrivals,
  coalesce((SELECT max(id) FROM squads), 0) AS squads, coalesce((SELECT max(id) FROM squad_members), 0) AS members,
  coalesce((SELECT max(id) FROM executions), 0) AS executions,
  coalesce((SELECT max(id) FROM projects), 0) AS projects, coalesce((SELECT max(id) FROM tasks), 0) AS tasks,
  coalesce((SELECT max(id) FROM users), 0) AS users, coalesce((SELECT max(id) FROM memberships), 0) AS memberships,
  coalesce((SELECT max(id) FROM sign_ins), 0) AS sign_ins,
  coalesce((SELECT max(id) FROM refresh_tokens), 0) AS refresh_tokens,
  coalesce((SELECT max(id) FROM invitations), 0) AS invitations,
  coalesce((SELECT max(id) FROM password_resets), 0) AS resets, coalesce((SELECT max(id) FROM tickets), 0) AS tickets,
  coalesce((SELECT max(id) FROM archives), 0) AS archives, coalesce((SELECT max(last) FROM archives), 0) AS archived

-- ---- beside the agent ----

-- name: agent_liveness_insert :batch
-- in: (agent id64, tenant id64)
INSERT INTO liveness (agent, tenant, status, since_ms, flips, beat_ms, streak, check_ms) VALUES ($1, $2, 0, 0, 0, 0, 0, 0)

-- The sweep no longer looks at it.
-- name: agent_liveness_stop :exec
-- in: id_row
UPDATE liveness SET check_ms = 0 WHERE agent = $1

-- struct: agent_card_row (agent id64, card json)
-- name: agent_card_put :batch
-- in: agent_card_row
INSERT INTO agent_cards (agent, card) VALUES ($1, $2) ON CONFLICT (agent) DO UPDATE SET card = excluded.card

-- As whoever calls in the tenant may see it: the agent may have become private since it was read.
-- name: agent_card_get :one
-- in: (agent id64, tenant id64)
-- out: (card json, visibility int64)
SELECT c.card, a.visibility FROM agent_cards c JOIN agents a ON a.id = c.agent
WHERE c.agent = $1 AND (a.tenant = $2 OR a.visibility = 1)

-- name: agent_card_delete :batch
-- in: id_row
DELETE FROM agent_cards WHERE agent = $1

-- ---- pages, newest first ----

-- struct: agent_page_row (id id64, tenant id64, name text, type int64, visibility int64, status int64)

-- name: agent_page :many
-- in: (tenant id64, below id64, visit int64)
-- out: agent_page_row
SELECT a.id, a.tenant, a.name, a.type, a.visibility, l.status
FROM agents a CROSS JOIN liveness l
WHERE a.tenant = $1 AND a.id < $2 AND a.deleted_ms = 0 AND l.agent = a.id
ORDER BY a.id DESC LIMIT $3

-- name: agent_page_of_type :many
-- in: (tenant id64, type int64, below id64, visit int64)
-- out: agent_page_row
SELECT a.id, a.tenant, a.name, a.type, a.visibility, l.status
FROM agents a CROSS JOIN liveness l
WHERE a.tenant = $1 AND a.type = $2 AND a.id < $3 AND a.deleted_ms = 0 AND l.agent = a.id
ORDER BY a.id DESC LIMIT $4

-- name: agent_page_of_name :many
-- in: (tenant id64, name text, below id64, visit int64)
-- out: agent_page_row
SELECT a.id, a.tenant, a.name, a.type, a.visibility, l.status
FROM agents a CROSS JOIN liveness l
WHERE a.tenant = $1 AND a.name = $2 AND a.id < $3 AND a.deleted_ms = 0 AND l.agent = a.id
ORDER BY a.id DESC LIMIT $4

-- name: agent_page_of_status :many
-- in: (tenant id64, status int64, below id64, visit int64)
-- out: agent_page_row
SELECT a.id, a.tenant, a.name, a.type, a.visibility, l.status
FROM liveness l CROSS JOIN agents a
WHERE l.tenant = $1 AND l.status = $2 AND l.agent < $3 AND a.id = l.agent AND a.deleted_ms = 0
ORDER BY l.agent DESC LIMIT $4

-- name: agent_page_public :many
-- in: (below id64, visit int64)
-- out: agent_page_row
SELECT a.id, a.tenant, a.name, a.type, a.visibility, l.status
FROM agents a CROSS JOIN liveness l
WHERE a.visibility = 1 AND a.deleted_ms = 0 AND a.id < $1 AND l.agent = a.id
ORDER BY a.id DESC LIMIT $2

-- name: agent_page_public_of_type :many
-- in: (type int64, below id64, visit int64)
-- out: agent_page_row
SELECT a.id, a.tenant, a.name, a.type, a.visibility, l.status
FROM agents a CROSS JOIN liveness l
WHERE a.visibility = 1 AND a.deleted_ms = 0 AND a.type = $1 AND a.id < $2 AND l.agent = a.id
ORDER BY a.id DESC LIMIT $3

-- Counts what a list shows of its own tenant; -1 and '' are any.
-- struct: agent_count_in (tenant id64, name text, type int64, visibility int64, status int64)
-- name: agent_count :one
-- in: agent_count_in
-- out: (count int64)
SELECT count(*) AS count FROM agents a CROSS JOIN liveness l
WHERE a.tenant = $1 AND a.deleted_ms = 0 AND l.agent = a.id AND ($2 = '' OR a.name = $2) AND ($3 < 0 OR a.type = $3)
  AND ($4 < 0 OR a.visibility = $4) AND ($5 < 0 OR l.status = $5)

-- And of the others.
-- name: agent_count_public :one
-- in: agent_count_in
-- out: (count int64)
SELECT count(*) AS count FROM agents a CROSS JOIN liveness l
WHERE a.visibility = 1 AND a.deleted_ms = 0 AND a.tenant <> $1 AND l.agent = a.id AND ($2 = '' OR a.name = $2)
  AND ($3 < 0 OR a.type = $3) AND ($4 < 0 OR a.visibility = $4) AND ($5 < 0 OR l.status = $5)

-- ---- for the search index ----

-- name: agent_total :one
-- out: (count int64)
SELECT count(*) AS count FROM agents WHERE deleted_ms = 0

-- All agents, a page at a time; without what nobody searches.
-- name: agent_index_page :many
-- in: (above id64, visit int64)
-- out: agent_full_row
-- dialect: sqlite
SELECT a.id, a.tenant, a.handle, a.name, a.type, a.visibility, a.protocols, a.description, NULL AS endpoint,
  NULL AS homepage, NULL AS avatar, NULL AS operator, a.tags, NULL AS metadata, a.public_key, a.key_proved_ms, a.version,
  a.created_ms, a.updated_ms, a.deleted_ms, l.status, l.since_ms, l.flips,
  (SELECT json_group_array(json_object('capability', c.slug, 'endpoint', NULL))
   FROM agent_capabilities ac JOIN capabilities c ON c.id = ac.capability WHERE ac.agent = a.id) AS capabilities
FROM agents a JOIN liveness l ON l.agent = a.id WHERE a.id > $1 AND a.deleted_ms = 0 ORDER BY a.id LIMIT $2
-- dialect: postgres
SELECT a.id, a.tenant, a.handle, a.name, a.type, a.visibility, a.protocols, a.description, NULL::text AS endpoint,
  NULL::text AS homepage, NULL::text AS avatar, NULL::text AS operator, a.tags, NULL::text AS metadata, a.public_key,
  a.key_proved_ms, a.version, a.created_ms, a.updated_ms, a.deleted_ms, l.status, l.since_ms, l.flips,
  coalesce((SELECT json_agg(json_build_object('capability', c.slug, 'endpoint', NULL))::text
   FROM agent_capabilities ac JOIN capabilities c ON c.id = ac.capability WHERE ac.agent = a.id), '[]') AS capabilities
FROM agents a JOIN liveness l ON l.agent = a.id WHERE a.id > $1 AND a.deleted_ms = 0 ORDER BY a.id LIMIT $2

-- name: agent_status_get :one
-- in: id_row
-- out: (status int64)
SELECT status FROM liveness WHERE agent = $1
