-- A version whose feature set's windows are not full yet scores only when that was asked for (weir promote --force).

ALTER TABLE weir.model_activation ADD COLUMN forced boolean NOT NULL DEFAULT false;

CREATE OR REPLACE VIEW weir.model_deployment AS
SELECT DISTINCT ON (model, role) *
FROM weir.model_activation
ORDER BY model, role, deployment_seq DESC;
