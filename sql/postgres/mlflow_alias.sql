-- Setting an alias in MLflow (its page, its API, weir promote) is a deployment. Runs after MLflow made its own tables.

CREATE OR REPLACE FUNCTION weir.tag(of_workspace text, of_model text, of_version int, of_key text)
RETURNS text LANGUAGE sql STABLE AS $$
    SELECT value FROM public.model_version_tags
    WHERE workspace = of_workspace AND name = of_model AND version = of_version AND key = of_key
$$;

-- Text of a tag as a number, or a sentence that names the tag.
CREATE OR REPLACE FUNCTION weir.number_in_tag(of_model text, of_version int, of_key text, tag_value text)
RETURNS double precision LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
    found double precision;
BEGIN
    IF tag_value IS NULL OR btrim(tag_value) = '' THEN
        RETURN NULL;
    END IF;
    BEGIN
        found := tag_value::double precision;
    EXCEPTION WHEN invalid_text_representation OR numeric_value_out_of_range THEN
        found := NULL;
    END;
    IF found IS NULL OR NOT (found > '-Infinity' AND found < 'Infinity') THEN
        RAISE EXCEPTION 'Weir: model % version % has the tag % = "%", which is not a finite number. Correct the tag and '
            'set the alias again.', of_model, of_version, of_key, left(tag_value, 80)
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN found;
END $$;

-- One activation for one alias. SECURITY DEFINER below it: MLflow's own role may not write to schema weir.
CREATE OR REPLACE FUNCTION weir.deploy_alias(of_workspace text, of_model text, of_role text, of_version int)
RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    new_digest text := weir.tag(of_workspace, of_model, of_version, 'weir.digest');
    new_threshold double precision;
    effective double precision;
    new_effective bigint;
    new_forced boolean := coalesce(weir.tag(of_workspace, of_model, of_version, 'weir.forced') = 'true', false);
    newest weir.model_activation;
BEGIN
    IF of_workspace <> 'default' THEN
        RAISE EXCEPTION 'Weir: model % lies in the MLflow workspace "%"; only the workspace "default" is deployed.',
            of_model, of_workspace USING ERRCODE = 'integrity_constraint_violation';
    ELSIF new_digest IS NULL OR new_digest !~ '^[0-9a-f]{64}$' THEN
        RAISE EXCEPTION 'Weir: model % version % cannot become %: it has no tag weir.digest with the sha256 of an '
            'artifact (got "%"). Register it with "weir train".', of_model, of_version, of_role,
            coalesce(left(new_digest, 80), 'no tag') USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    new_threshold := weir.number_in_tag(of_model, of_version, 'weir.threshold',
        weir.tag(of_workspace, of_model, of_version, 'weir.threshold'));
    effective := coalesce(weir.number_in_tag(of_model, of_version, 'weir.effective_from_ms',
        weir.tag(of_workspace, of_model, of_version, 'weir.effective_from_ms')), 0);
    IF effective < 0 OR effective >= 2.0 ^ 53 OR effective <> floor(effective) THEN
        RAISE EXCEPTION 'Weir: model % version % has the tag weir.effective_from_ms = "%", which is no time in '
            'milliseconds since 1970. Correct the tag and set the alias again.', of_model, of_version, effective
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    new_effective := effective::bigint;
    -- Before the comparison, or two writers of the same alias could both find themselves new.
    PERFORM pg_advisory_xact_lock(hashtext('weir.deployment_seq'));
    SELECT * INTO newest FROM weir.model_deployment WHERE model = of_model AND role = of_role;
    IF newest.deployment_seq IS NOT NULL AND NOT newest.retired AND newest.version = of_version::text
        AND newest.digest = new_digest AND newest.threshold IS NOT DISTINCT FROM new_threshold
        AND newest.effective_from_ms = new_effective AND newest.forced = new_forced THEN
        RETURN;
    END IF;
    INSERT INTO weir.model_activation (model, role, version, digest, threshold, effective_from_ms, forced, who, why)
    VALUES (of_model, of_role, of_version::text, new_digest, new_threshold, new_effective, new_forced,
        coalesce(weir.tag(of_workspace, of_model, of_version, 'weir.who'), 'mlflow'),
        coalesce(weir.tag(of_workspace, of_model, of_version, 'weir.why'), ''));
END $$;

-- The alias is gone. A challenger retires; the champion stays until another one is named: no stream is left unscored.
CREATE OR REPLACE FUNCTION weir.retire_alias(of_model text, of_role text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    newest weir.model_activation;
BEGIN
    IF of_role = 'champion' THEN
        RETURN;
    END IF;
    PERFORM pg_advisory_xact_lock(hashtext('weir.deployment_seq'));
    SELECT * INTO newest FROM weir.model_deployment WHERE model = of_model AND role = of_role;
    IF newest.deployment_seq IS NULL OR newest.retired THEN
        RETURN;
    END IF;
    INSERT INTO weir.model_activation
        (model, role, version, digest, threshold, effective_from_ms, retired, who, why)
    VALUES (of_model, of_role, newest.version, newest.digest, newest.threshold, 0, true, 'mlflow', 'alias removed');
END $$;

CREATE OR REPLACE FUNCTION weir.follow_alias() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        IF OLD.workspace = 'default' THEN
            PERFORM weir.retire_alias(OLD.name, OLD.alias);
        END IF;
        RETURN NULL;
    END IF;
    IF TG_OP = 'UPDATE' AND (OLD.workspace, OLD.name, OLD.alias) IS DISTINCT FROM (NEW.workspace, NEW.name, NEW.alias) THEN
        RAISE EXCEPTION 'Weir: model % cannot be renamed to % while its alias % is deployed: inferences and activations '
            'carry its name. Remove its aliases first.', OLD.name, NEW.name, OLD.alias
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    PERFORM weir.deploy_alias(NEW.workspace, NEW.name, NEW.alias, NEW.version);
    RETURN NULL;
END $$;

CREATE OR REPLACE TRIGGER weir_follow_alias AFTER INSERT OR UPDATE OR DELETE ON public.registered_model_aliases
    FOR EACH ROW EXECUTE FUNCTION weir.follow_alias();
