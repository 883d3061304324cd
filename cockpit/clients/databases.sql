-- The platform's database and those that a restore made or put aside, as the role that would change them sees them. Asked
-- in another database, so it is answered also while the platform's own is gone or takes no connections.
WITH own AS MATERIALIZED (
    SELECT rolname, rolsuper, rolcreatedb FROM pg_roles WHERE rolname = current_user
), session AS MATERIALIZED (
    SELECT activity.datid, count(*) AS sessions, count(*) FILTER (WHERE coalesce(role.rolsuper, true)) AS superusers
    FROM pg_stat_activity AS activity LEFT JOIN pg_roles AS role ON role.oid = activity.usesysid
    WHERE activity.datid IS NOT NULL AND coalesce(activity.backend_type, 'client backend') = 'client backend'
    GROUP BY activity.datid
)
SELECT
    own.rolname AS role,
    own.rolsuper AS is_superuser,
    own.rolcreatedb OR own.rolsuper AS may_create,
    ARRAY(SELECT rolname::text FROM pg_roles WHERE pg_has_role(oid, 'USAGE') LIMIT 500) AS roles,
    current_setting('server_version_num')::int AS version,
    pg_is_in_recovery() AS is_in_recovery,
    -- A swap goes on in the server when whoever asked for it is gone.
    EXISTS (
        SELECT FROM pg_stat_activity WHERE application_name = %(swapper)s AND usename = current_user AND state = 'active'
    ) AS is_swapping,
    -- Only pg_monitor may read it.
    (SELECT setting FROM pg_settings WHERE name = 'data_directory') AS data_directory,
    coalesce((
        SELECT jsonb_agg(jsonb_build_object(
            'name', base.datname,
            'owner', owner.rolname,
            'is_ours', own.rolsuper OR pg_has_role(base.datdba, 'USAGE'),
            'takes_connections', base.datallowconn AND base.datconnlimit <> -2,
            'sessions', coalesce(session.sessions, 0),
            'superusers', coalesce(session.superusers, 0),
            'prepared', (SELECT count(*) FROM pg_prepared_xacts AS waiting WHERE waiting.database = base.datname),
            'slots', (SELECT count(*) FROM pg_replication_slots AS slot WHERE slot.database = base.datname),
            'size_bytes', CASE
                WHEN %(with_size)s AND has_database_privilege(base.oid, 'CONNECT') THEN pg_database_size(base.oid)
            END
        ) ORDER BY base.datname)
        FROM pg_database AS base
        JOIN pg_roles AS owner ON owner.oid = base.datdba
        LEFT JOIN session ON session.datid = base.oid
        WHERE base.datname = %(wanted)s
            OR starts_with(base.datname, %(wanted)s || '_before_')
            OR starts_with(base.datname, %(wanted)s || '_restore_')
    ), '[]') AS found
FROM own
