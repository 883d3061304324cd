-- All that the cockpit shows of a Postgres server, in one row. Portable from 13 to 18; needs no more than CONNECT, sees
-- more with pg_monitor. It touches no table of the platform, so no lock on one can hold it up: to_regclass takes none.
WITH session AS MATERIALIZED (
    SELECT
        pid, datname, usename, usesysid, application_name, client_addr, backend_start, state, xact_start, query_start, query
    FROM pg_stat_activity
    -- What another role's session is doing is hidden without pg_monitor, its backend_type too.
    WHERE datname IS NOT NULL AND coalesce(backend_type, 'client backend') = 'client backend'
), waiting AS MATERIALIZED (
    -- pg_locks shows everybody's waits; pg_blocking_pids stops the lock manager for a moment, so it is asked for these alone.
    -- waitstart came with 14: reading it out of JSON keeps the query valid on 13.
    SELECT pid, min((to_jsonb(l) ->> 'waitstart')::timestamptz) AS since, pg_blocking_pids(pid) AS blockers
    FROM pg_locks AS l
    WHERE NOT granted AND pid IS NOT NULL
    GROUP BY pid
    ORDER BY since NULLS LAST
    LIMIT 50
), blocked AS (
    SELECT jsonb_build_object(
        'pid', waiting.pid,
        'blocked_by', waiting.blockers,
        'waiting_s', extract(epoch FROM clock_timestamp() - coalesce(waiting.since, waiter.query_start)),
        'user', waiter.usename,
        'query', left(waiter.query, 300),
        'blocker_state', holder.state,
        'blocker_query', left(holder.query, 300)
    ) AS item
    FROM waiting
    LEFT JOIN session AS waiter ON waiter.pid = waiting.pid
    LEFT JOIN session AS holder ON holder.pid = waiting.blockers[1]
    WHERE cardinality(waiting.blockers) > 0
), holding AS (
    -- Who holds others up and waits for nobody: to end one of these is what helps.
    SELECT jsonb_build_object(
        'pid', holder.pid,
        'began_us', (extract(epoch FROM holder.backend_start) * 1000000)::bigint,
        'user', holder.usename,
        'application', holder.application_name,
        'client', coalesce(host(holder.client_addr), 'this host'),
        'state', holder.state,
        'transaction_s', extract(epoch FROM clock_timestamp() - holder.xact_start),
        'query', left(holder.query, 300),
        'is_superuser', coalesce(role.rolsuper, true),
        'is_ours_to_end', coalesce(
            own_role.rolsuper OR NOT role.rolsuper AND (
                pg_has_role(role.oid, 'USAGE') OR pg_has_role('pg_signal_backend', 'USAGE')
            ), false
        )
    ) AS item
    FROM session AS holder
    LEFT JOIN pg_roles AS role ON role.oid = holder.usesysid
    LEFT JOIN pg_roles AS own_role ON own_role.rolname = current_user
    WHERE holder.pid IN (SELECT unnest(blockers) FROM waiting) AND holder.pid NOT IN (SELECT pid FROM waiting)
), replication AS (
    SELECT count(*) AS replicas, extract(epoch FROM max(replay_lag)) AS lag_s
    FROM pg_stat_replication
)
SELECT
    current_setting('server_version') AS version,
    current_setting('max_connections')::int AS max_connections,
    (SELECT count(*) FROM session) AS connections,
    (
        SELECT extract(epoch FROM clock_timestamp() - min(xact_start)) FROM session WHERE pid <> pg_backend_pid()
    )::float8 AS oldest_transaction_s,
    coalesce((SELECT jsonb_agg(item) FROM blocked), '[]') AS blocked,
    pg_is_in_recovery() AS is_in_recovery,
    (SELECT replicas FROM replication) AS replicas,
    (
        CASE
            WHEN NOT pg_is_in_recovery() THEN (SELECT lag_s FROM replication)
            WHEN pg_last_wal_receive_lsn() = pg_last_wal_replay_lsn() THEN 0
            ELSE extract(epoch FROM clock_timestamp() - pg_last_xact_replay_timestamp())
        END
    )::float8 AS replay_lag_s,
    (
        CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn() ELSE pg_current_wal_insert_lsn() END - '0/0'::pg_lsn
    )::bigint AS wal_bytes,
    -- It stats every file of the database, so the cockpit asks for it now and then.
    CASE WHEN %(with_size)s THEN pg_database_size(current_database()) END AS size_bytes,
    own.xact_commit AS commits,
    own.xact_rollback AS rollbacks,
    extract(epoch FROM pg_postmaster_start_time())::float8 AS started_at,
    ARRAY(SELECT name FROM unnest(%(tables)s::text[]) AS name WHERE to_regclass(name) IS NULL) AS missing_tables,
    coalesce((SELECT jsonb_agg(item) FROM holding), '[]') AS holders,
    current_user AS role,
    (
        SELECT sum(
            pg_stat_get_tuples_inserted(to_regclass(name))
            + pg_stat_get_tuples_updated(to_regclass(name))
            + pg_stat_get_tuples_deleted(to_regclass(name))
        )
        FROM unnest(%(tables)s::text[]) AS name
    )::bigint AS writes,
    -- An estimate, for nobody counts a large table each second: the live counter, which a crash sets back to 0, or what
    -- the last ANALYZE found.
    CASE WHEN %(with_size)s THEN (
        SELECT jsonb_object_agg(name, rows) FROM (
            SELECT
                format('%%I.%%I', space.nspname, class.relname) AS name,
                greatest(pg_stat_get_live_tuples(class.oid), class.reltuples::bigint, 0) AS rows
            FROM pg_class AS class JOIN pg_namespace AS space ON space.oid = class.relnamespace
            WHERE class.relkind = 'r' AND space.nspname !~ '^(pg_|information_schema$)'
            ORDER BY class.relpages DESC
            LIMIT 200
        ) AS counted
    ) END AS rows
FROM pg_stat_database AS own
WHERE own.datname = current_database()
