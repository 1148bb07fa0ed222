"""What ``/v1/predict`` takes and gives, as the OpenAPI document shows it."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

__all__ = ["PREDICT_EXAMPLES", "PredictAnswer", "PredictRequest"]

MOST_NAMED = 64
Number = Annotated[float, Field(strict=True, allow_inf_nan=False)]
Name = Annotated[str, Field(min_length=1, max_length=256)]


class PredictRequest(BaseModel):
    """Rows of features and the versions that are to score them; the champion when none is named."""

    model_config = ConfigDict(extra="forbid")

    rows: list[dict[str, Number | None]] = Field(
        min_length=1, description="Numbers by feature name; names a version does not know are ignored, null is missing."
    )
    versions: list[Name] = Field([], max_length=MOST_NAMED, description="Versions the gate accepted, live or before.")
    roles: list[Name] = Field([], max_length=MOST_NAMED, description="Roles whose versions are to score.")
    live: bool = Field(False, strict=True, description="Every version that holds a role.")


class RowScore(BaseModel):
    """One version's word on one row."""

    score: float | None
    reason: str | None = Field(description="`missing_feature` or `no_champion`, as on an inference of the stream.")
    missing: list[str] = Field(description="The features that the row lacks.")


class VersionScores(BaseModel):
    """One version's word on all rows, in their order."""

    version: str | None
    roles: list[str]
    digest: str | None = Field(description="sha256 of the very bytes that scored.")
    feature_set: str
    threshold: float | None
    deployment_seq: int
    scores: list[RowScore]


class VersionDifference(BaseModel):
    """Two versions on the rows that both scored: second minus first."""

    versions: list[str | None]
    rows: int
    mean_difference: float | None
    largest_difference: float | None
    at_row: int | None


class PredictAnswer(BaseModel):
    """What the wanted versions say."""

    model: str
    results: list[VersionScores]
    comparison: list[VersionDifference]


_ROW = {
    "TX_AMOUNT": 57.16,
    "TX_DURING_WEEKEND": 0.0,
    "TX_DURING_NIGHT": 0.0,
    "CUSTOMER_ID_NB_TX_1DAY_WINDOW": 3.0,
    "CUSTOMER_ID_AVG_AMOUNT_1DAY_WINDOW": 61.2,
    "CUSTOMER_ID_NB_TX_7DAY_WINDOW": 15.0,
    "CUSTOMER_ID_AVG_AMOUNT_7DAY_WINDOW": 55.8,
    "CUSTOMER_ID_NB_TX_30DAY_WINDOW": 61.0,
    "CUSTOMER_ID_AVG_AMOUNT_30DAY_WINDOW": 58.3,
    "TERMINAL_ID_NB_TX_1DAY_WINDOW": 1.0,
    "TERMINAL_ID_RISK_1DAY_WINDOW": 0.0,
    "TERMINAL_ID_NB_TX_7DAY_WINDOW": 6.0,
    "TERMINAL_ID_RISK_7DAY_WINDOW": 0.0,
    "TERMINAL_ID_NB_TX_30DAY_WINDOW": 29.0,
    "TERMINAL_ID_RISK_30DAY_WINDOW": 0.034482758620689655,
}
PREDICT_EXAMPLES: dict[str, Any] = {
    "champion": {"summary": "One row, the champion", "value": {"rows": [_ROW]}},
    "compare": {
        "summary": "Two rows, all live versions, compared",
        "value": {"rows": [_ROW, {**_ROW, "TX_AMOUNT": 480.0}], "live": True},
    },
    "missing": {
        "summary": "A row without its amount: a null score and the reason missing_feature",
        "value": {"rows": [{**_ROW, "TX_AMOUNT": None}], "roles": ["champion"]},
    },
}
"""Of the feature set ``handbook``; every one is sent by a test."""
