-- The body of a DO: the platform's database aside, another in its place. The server goes through all of it by itself,
-- also when whoever asked is gone, and either both names are changed or none is and connections are allowed again.
DECLARE
    wanted text := current_setting('cockpit.wanted');
    incoming text := current_setting('cockpit.incoming');
    aside text := current_setting('cockpit.aside');
    is_there boolean := EXISTS (SELECT FROM pg_database WHERE datname = current_setting('cockpit.wanted'));
    held bigint;
    said text;
BEGIN
    IF is_there THEN
        EXECUTE format('ALTER DATABASE %I WITH ALLOW_CONNECTIONS false', wanted);
        COMMIT; -- from here on nobody new comes in
    END IF;
    FOR attempt IN 1..150 LOOP
        BEGIN
            PERFORM pg_stat_clear_snapshot();
            SELECT count(*) INTO held FROM (
                SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                WHERE datname IN (wanted, incoming) AND pid <> pg_backend_pid()
                    AND coalesce(backend_type, 'client backend') IN ('client backend', 'walsender')
            ) AS told;
        EXCEPTION WHEN OTHERS THEN
            said := SQLERRM;
        END;
        EXIT WHEN held = 0 OR said IS NOT NULL;
        PERFORM pg_sleep(0.02);
    END LOOP;
    IF said IS NULL AND held > 0 THEN
        said := format('%s sessions do not end', held);
    END IF;
    IF said IS NULL THEN
        BEGIN
            IF is_there THEN
                EXECUTE format('ALTER DATABASE %I RENAME TO %I', wanted, aside);
            END IF;
            EXECUTE format('ALTER DATABASE %I RENAME TO %I', incoming, wanted);
            EXECUTE format('ALTER DATABASE %I WITH ALLOW_CONNECTIONS true', wanted);
        EXCEPTION WHEN OTHERS THEN
            said := SQLERRM;
        END;
    END IF;
    IF said IS NOT NULL THEN
        IF is_there THEN
            EXECUTE format('ALTER DATABASE %I WITH ALLOW_CONNECTIONS true', wanted);
            COMMIT;
        END IF;
        RAISE EXCEPTION 'not swapped, everything is as it was: %', said;
    END IF;
    COMMIT;
END
