-- Rules of the registry tables, replaced at every start so that they are what this version of Weir says.

CREATE OR REPLACE FUNCTION weir.refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'Weir: weir.% only takes new rows; % was refused. Write a new row instead.',
        TG_TABLE_NAME, TG_OP USING ERRCODE = 'integrity_constraint_violation';
END $$;

CREATE OR REPLACE TRIGGER insert_only BEFORE UPDATE OR DELETE OR TRUNCATE ON weir.model_artifact
    FOR EACH STATEMENT EXECUTE FUNCTION weir.refuse_change();
CREATE OR REPLACE TRIGGER insert_only BEFORE UPDATE OR DELETE OR TRUNCATE ON weir.model_activation
    FOR EACH STATEMENT EXECUTE FUNCTION weir.refuse_change();
CREATE OR REPLACE TRIGGER insert_only BEFORE UPDATE OR DELETE OR TRUNCATE ON weir.feature_definition
    FOR EACH STATEMENT EXECUTE FUNCTION weir.refuse_change();
CREATE OR REPLACE TRIGGER insert_only BEFORE UPDATE OR DELETE OR TRUNCATE ON weir.retraining_decision
    FOR EACH STATEMENT EXECUTE FUNCTION weir.refuse_change();

-- Send an artifact's rows again where the job may have let them go. It keeps those used last, four of the largest at least
-- (model_store/kept_artifacts.py): an artifact is sent unless at most two others were written or deployed since it was, or
-- within five seconds before, whatever order their transactions were committed in.
CREATE OR REPLACE FUNCTION weir.send_again(of_model text, of_digest text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    used_ms bigint;
    others int;
    each_part int;
BEGIN
    SELECT greatest(
        (SELECT max(created_ms) FROM weir.model_artifact WHERE digest = of_digest),
        (SELECT max(created_ms) FROM weir.model_activation WHERE digest = of_digest AND model = of_model AND NOT retired)
    ) - 5000 INTO used_ms;
    SELECT count(*) INTO others FROM (
        SELECT digest FROM weir.model_artifact WHERE created_ms >= used_ms
        UNION SELECT digest FROM weir.model_activation WHERE created_ms >= used_ms
    ) AS since WHERE digest <> of_digest;
    IF others <= 2 THEN
        RETURN;
    END IF;
    -- A statement for each row: Debezium may lose rows of a larger one when it is started again in the middle of it.
    FOR each_part IN SELECT part FROM weir.model_artifact WHERE digest = of_digest ORDER BY part LOOP
        INSERT INTO weir.artifact_again (digest, part, parts, bytes, signature)
        SELECT digest, part, parts, bytes, signature FROM weir.model_artifact WHERE digest = of_digest AND part = each_part;
    END LOOP;
    DELETE FROM weir.artifact_again WHERE digest = of_digest;
END $$;

-- Every activation, whoever writes it: a number that follows the order of commits, and an artifact that is here whole.
CREATE OR REPLACE FUNCTION weir.number_activation() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    held int;
    needed int;
BEGIN
    -- The lock comes before the number and is held until commit: without it a lower number could be committed later,
    -- and a reader who remembers the highest number would lose it.
    PERFORM pg_advisory_xact_lock(hashtext('weir.deployment_seq'));
    NEW.deployment_seq := nextval('weir.deployment_seq');
    SELECT count(*), max(parts) INTO held, needed FROM weir.model_artifact WHERE digest = NEW.digest;
    IF held = 0 AND NOT NEW.retired THEN
        RAISE EXCEPTION 'Weir: model % version % cannot become %: no artifact with digest % is in weir.model_artifact. '
            'Train it with "weir train", which writes the artifact.', NEW.model, NEW.version, NEW.role, NEW.digest
            USING ERRCODE = 'integrity_constraint_violation';
    ELSIF held < needed AND NOT NEW.retired THEN
        RAISE EXCEPTION 'Weir: model % version % cannot become %: its artifact % is not whole, % of % parts are in '
            'weir.model_artifact. Write the missing parts.', NEW.model, NEW.version, NEW.role, NEW.digest, held, needed
            USING ERRCODE = 'integrity_constraint_violation';
    ELSIF NOT NEW.retired AND NEW.digest <> (
        SELECT encode(sha256(string_agg(bytes, ''::bytea ORDER BY part)), 'hex')
        FROM weir.model_artifact WHERE digest = NEW.digest) THEN
        RAISE EXCEPTION 'Weir: model % version % cannot become %: the bytes in weir.model_artifact are not those of its '
            'digest %. Train it again.', NEW.model, NEW.version, NEW.role, NEW.digest
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    IF NOT NEW.retired THEN
        PERFORM weir.send_again(NEW.model, NEW.digest);
    END IF;
    RETURN NEW;
END $$;

CREATE OR REPLACE TRIGGER number_activation BEFORE INSERT ON weir.model_activation
    FOR EACH ROW EXECUTE FUNCTION weir.number_activation();

-- What a snapshot carries: of each role what it may still go back to (udfs/domain/deployment.py remembers as many), and of
-- the artifacts those, and the newest, which may be deployed next.
CREATE OR REPLACE VIEW weir.wanted_activation AS
SELECT deployment_seq, digest FROM (
    SELECT deployment_seq, digest, row_number() OVER (PARTITION BY model, role ORDER BY deployment_seq DESC) AS age
    FROM weir.model_activation
) AS aged WHERE age <= 16;

CREATE OR REPLACE VIEW weir.wanted_artifact AS
SELECT digest FROM weir.wanted_activation
UNION
(SELECT digest FROM weir.model_artifact GROUP BY digest ORDER BY max(created_ms) DESC LIMIT 4);
