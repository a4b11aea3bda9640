-- Signatures of requests that were taken, so that none is taken twice; on PostgreSQL, where several processes take them.

create table signatures (
  id id64 primary key,               -- a hash of the signature
  expires_ms int64 not null
);
create index signatures_expire on signatures (expires_ms);
