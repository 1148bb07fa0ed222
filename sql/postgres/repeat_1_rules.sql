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
    RETURN NEW;
END $$;

CREATE OR REPLACE TRIGGER number_activation BEFORE INSERT ON weir.model_activation
    FOR EACH ROW EXECUTE FUNCTION weir.number_activation();
