"""Every problem the API answers with: its HTTP status and its title, by reason.

Reasons that the job writes on dead letters and inferences have the same word and the same meaning here.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import Final

__all__ = ["PROBLEM_KINDS"]

PROBLEM_KINDS: Final[dict[str, tuple[HTTPStatus, str]]] = {
    # What was sent is not what it should be: the words of the job's dead letters.
    "empty": (HTTPStatus.BAD_REQUEST, "The body is empty"),
    "not_json": (HTTPStatus.BAD_REQUEST, "The body is not JSON"),
    "bad_utf8": (HTTPStatus.BAD_REQUEST, "The body is not valid UTF-8"),
    "not_an_object": (HTTPStatus.UNPROCESSABLE_ENTITY, "Not a JSON object"),
    "not_finite": (HTTPStatus.UNPROCESSABLE_ENTITY, "A number is NaN or infinite"),
    "missing_field": (HTTPStatus.UNPROCESSABLE_ENTITY, "A field is missing"),
    "wrong_type": (HTTPStatus.UNPROCESSABLE_ENTITY, "A field has another type"),
    "out_of_range": (HTTPStatus.UNPROCESSABLE_ENTITY, "A number is out of range"),
    "negative_time": (HTTPStatus.UNPROCESSABLE_ENTITY, "A time is negative"),
    "future_time": (HTTPStatus.UNPROCESSABLE_ENTITY, "A time lies more than a day ahead"),
    "too_large": (HTTPStatus.UNPROCESSABLE_ENTITY, "A string is too long"),
    "unknown_control": (HTTPStatus.UNPROCESSABLE_ENTITY, "Not a known control record"),
    "duplicate": (HTTPStatus.CONFLICT, "The transaction was scored before"),
    "rejected": (HTTPStatus.UNPROCESSABLE_ENTITY, "The stream refused the record"),
    # What the API itself asks for.
    "unknown_field": (HTTPStatus.UNPROCESSABLE_ENTITY, "A field that the API does not know"),
    "control_record": (HTTPStatus.UNPROCESSABLE_ENTITY, "Control records are not taken"),
    "body_too_large": (HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "The body is too large"),
    "batch_too_large": (HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "The list is too long"),
    "unsupported_media_type": (HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "Not sent as JSON"),
    "unsupported_encoding": (HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "Packed in a way that is not taken"),
    "bad_encoding": (HTTPStatus.BAD_REQUEST, "The body is not packed as it says"),
    "body_too_slow": (HTTPStatus.REQUEST_TIMEOUT, "The body did not come in time"),
    "unauthorized": (HTTPStatus.UNAUTHORIZED, "A bearer token is needed"),
    "not_found": (HTTPStatus.NOT_FOUND, "No such path"),
    "method_not_allowed": (HTTPStatus.METHOD_NOT_ALLOWED, "The path does not take this method"),
    "unknown_model": (HTTPStatus.NOT_FOUND, "No such model"),
    "unknown_version": (HTTPStatus.NOT_FOUND, "No such version"),
    "unknown_role": (HTTPStatus.NOT_FOUND, "No version holds this role"),
    "unknown_inference": (HTTPStatus.NOT_FOUND, "No inference of this transaction"),
    "unknown_artifact": (HTTPStatus.NOT_FOUND, "No such artifact"),
    "unknown_problem": (HTTPStatus.NOT_FOUND, "No such problem"),
    # What the API cannot do at the moment.
    "not_ready": (HTTPStatus.SERVICE_UNAVAILABLE, "Not ready yet"),
    "unreachable": (HTTPStatus.SERVICE_UNAVAILABLE, "A service behind the API does not answer"),
    "too_many_waiting": (HTTPStatus.SERVICE_UNAVAILABLE, "Too many transactions wait for their score"),
    "still_scoring": (HTTPStatus.GATEWAY_TIMEOUT, "The transaction is still being scored"),
    "internal": (HTTPStatus.INTERNAL_SERVER_ERROR, "A fault of the API"),
}
