-- A feature set that a live version needs is not retired. Deleting it is refused for every set (repeat_1_rules.sql).

CREATE OR REPLACE FUNCTION weir.check_retired_features() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    needing record;
BEGIN
    IF NEW.definition ->> 'retired' IS DISTINCT FROM 'true' OR to_regclass('public.model_version_tags') IS NULL THEN
        RETURN NEW;
    END IF;
    SELECT d.model, d.version, d.role INTO needing
    FROM weir.model_deployment d
    JOIN public.model_version_tags t ON t.name = d.model AND t.version::text = d.version
    WHERE NOT d.retired AND t.key = 'weir.feature_set' AND t.value = NEW.name
    LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'Weir: the feature set % cannot be retired: model % version % is % and needs it. Promote another '
            'version first.', NEW.name, needing.model, needing.version, needing.role
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;

CREATE OR REPLACE TRIGGER check_retired BEFORE INSERT ON weir.feature_definition
    FOR EACH ROW EXECUTE FUNCTION weir.check_retired_features();
