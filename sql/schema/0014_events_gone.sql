-- Up to which batch events of a squad are no longer all there: what deletes them writes it down, so that a stream that
-- comes back from before it is told so.
create table execution_events_gone (
  squad id64 primary key,
  seq int64 not null
);
