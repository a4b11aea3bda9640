-- Notes of restored executions are cleared by their age.

create index archive_restored_by_age on archive_restored (restored_ms);
