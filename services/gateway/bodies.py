"""Reading a JSON body: media type, size, and every field, before anything is done with it."""

from typing import TypeVar

from fastapi import Request
from pydantic import BaseModel, ValidationError
from starlette.exceptions import HTTPException

from headrace.contracts.violations import violations
from headrace.errors import InvalidInput

M = TypeVar("M", bound=BaseModel)

_FAULTS_LISTED = 1_000


async def read_body(request: Request, model: type[M], limit_bytes: int) -> M:
    """The body as `model`.

    Raises: HTTPException 413 and 415; InvalidInput with every field at fault.
    """
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type != "application/json":
        raise HTTPException(415, f"send content-type: application/json, not {media_type or 'none'}")
    if encoding := request.headers.get("content-encoding"):
        raise HTTPException(415, f"send the body as it is, without content-encoding {encoding}")
    body = await _read(request, limit_bytes)
    try:
        # Strict: the number 5 is a rating, neither "5" nor true is.
        return model.model_validate_json(body, strict=True)
    except ValidationError as error:
        if error.error_count() > _FAULTS_LISTED:
            raise InvalidInput.of(
                "body", f"has {error.error_count()} faults, too many to list; see /docs"
            ) from error
        raise InvalidInput(
            violations(error.errors(include_url=False, include_input=False))
        ) from error


async def _read(request: Request, limit_bytes: int) -> bytes:
    too_large = HTTPException(413, f"the body must have at most {limit_bytes} bytes")
    declared = request.headers.get("content-length", "")
    if declared.isdecimal() and int(declared) > limit_bytes:
        raise too_large
    chunks, size = [], 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > limit_bytes:
            raise too_large
        chunks.append(chunk)
    return b"".join(chunks)
