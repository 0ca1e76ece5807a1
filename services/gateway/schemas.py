"""Reads JSON schemas for people: one row a field, nested ones by their path."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

_LIMITS = {
    "minLength": "at least {} characters",
    "maxLength": "at most {} characters",
    "minItems": "at least {}",
    "maxItems": "at most {}",
    "maxProperties": "at most {}",
    "minimum": "from {}",
    "maximum": "to {}",
}


@dataclass(frozen=True)
class Field:
    """A field as the page shows it."""

    path: str
    kind: str
    required: bool
    description: str


class Schemas:
    """The schemas of an OpenAPI document."""

    def __init__(self, document: dict[str, Any]) -> None:
        self._named = document["components"]["schemas"]

    def resolve(self, schema: dict[str, Any]) -> dict[str, Any]:
        """Follows a reference, and leaves out the alternative null."""
        if "$ref" in schema:
            return self.resolve(self._named[schema["$ref"].rpartition("/")[2]])
        for choice in schema.get("anyOf", ()):
            if choice.get("type") != "null":
                return {**self.resolve(choice), **{k: schema[k] for k in schema if k != "anyOf"}}
        return schema

    def fields(
        self, schema: dict[str, Any], within: str = "", known: frozenset[str] = frozenset()
    ) -> Iterator[Field]:
        """Every field of an object, depth first; what holds itself is told once."""
        resolved = self.resolve(schema)
        title = resolved.get("title", "")
        if title in known and "properties" in resolved:
            return
        known = known | {title}
        required = resolved.get("required", ())
        for name, raw in resolved.get("properties", {}).items():
            field = self.resolve(raw)
            path = f"{within}{name}"
            yield Field(path, self.kind(raw), name in required, field.get("description", ""))
            if field.get("type") == "array":
                yield from self.fields(field["items"], f"{path}[].", known)
            else:
                yield from self.fields(field, f"{path}.", known)

    def kind(self, schema: dict[str, Any]) -> str:
        """Type and limits in words."""
        resolved = self.resolve(schema)
        if "enum" in resolved:
            return " | ".join(resolved["enum"])
        kind = str(resolved.get("format") or resolved.get("type", "any"))
        if kind == "array":
            kind = f"array of {self.resolve(resolved['items']).get('type', 'any')}s"
        limits = [text.format(resolved[key]) for key, text in _LIMITS.items() if key in resolved]
        if (default := resolved.get("default")) not in (None, "", [], ()):
            limits.append(f"default {default}")
        return ", ".join([kind, *limits])

    def example(self, schema: dict[str, Any]) -> Any:
        """An instance: the examples given, and plain values for what has none."""
        resolved = self.resolve(schema)
        only = [resolved["const"]] if "const" in resolved else resolved.get("enum")
        if given := resolved.get("examples") or only:
            return given[0]
        if resolved.get("type") == "array":
            return [self.example(resolved["items"])]
        if resolved.get("type") == "object":
            return {
                name: self.example(field) for name, field in resolved.get("properties", {}).items()
            }
        if resolved.get("format") == "date-time":
            return "2026-01-31T12:00:00Z"
        plain = {"integer": 20, "number": 1.0, "boolean": False}
        return resolved.get("default") or plain.get(resolved.get("type", ""), "text")
