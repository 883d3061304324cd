"""How the Kubernetes API says no: one exception that is a Status object."""

from __future__ import annotations

from typing import Any

REASONS = {
    400: "BadRequest",
    401: "Unauthorized",
    403: "Forbidden",
    404: "NotFound",
    405: "MethodNotAllowed",
    409: "Conflict",
    410: "Expired",
    415: "UnsupportedMediaType",
    422: "Invalid",
    500: "InternalError",
    503: "ServiceUnavailable",
}


class KubeFailure(Exception):
    """A request that is answered with a Status."""

    def __init__(self, code: int, message: str, kind: str = "", name: str = "") -> None:
        super().__init__(message)
        self.code = code
        self.status = status(code, message, kind, name)


def status(code: int, message: str, kind: str = "", name: str = "") -> dict[str, Any]:
    """Return a Failure Status."""
    body: dict[str, Any] = {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Failure",
        "message": message,
        "reason": REASONS.get(code, "Unknown"),
        "code": code,
    }
    if kind or name:
        body["details"] = {"name": name, "kind": kind}
    if code == 422 and "details" in body:
        # kubectl prints the causes of an Invalid and drops its message.
        field, _, problem = message.partition(" is invalid: ")[2].partition(": ")
        body["details"]["causes"] = [{"reason": "FieldValueInvalid", "field": field, "message": problem}]
    return body
