"""The page /docs: an OpenAPI document as HTML."""

import json
import re
import shlex
from collections.abc import Iterator
from html import escape
from typing import Any

from services.gateway.problems import KINDS
from services.gateway.schemas import Schemas

_JSON = "application/json"


def render(document: dict[str, Any], origin: str) -> str:
    """One page: an introduction, each operation, the kinds of problems.

    origin: where the reader reaches the gateway, for the examples; `http://127.0.0.1:8080`, say.
    """
    page = _Page(document, origin)
    info = document["info"]
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{escape(info["title"])} API</title>
<link rel="stylesheet" href="/docs/reference.css">
</head>
<body>
<nav aria-label="Operations">
<a class="brand" href="#top">{escape(info["title"])} <small>v{escape(info["version"])}</small></a>
{"".join(page.index())}
<h2>More</h2>
<a href="#problems">Problems</a>
<a href="/openapi.json">openapi.json</a>
</nav>
<main id="top">
<h1>{escape(info["title"])} API</h1>
{_prose(info["description"])}
{"".join(page.sections())}
{page.problems()}
</main>
</body>
</html>
"""


class _Page:
    """The parts that come from one document."""

    def __init__(self, document: dict[str, Any], origin: str) -> None:
        self._document = document
        self._origin = origin
        self._schemas = Schemas(document)

    def index(self) -> Iterator[str]:
        for tag in self._document["tags"]:
            yield f"<h2>{escape(tag['name'].capitalize())}</h2>"
            for method, path, operation in self._operations(tag["name"]):
                yield (
                    f'<a href="#{operation["operationId"]}" title="{method.upper()} {path}">'
                    f"{_badge(method)} {escape(operation['summary'])}</a>\n"
                )

    def sections(self) -> Iterator[str]:
        for tag in self._document["tags"]:
            name = tag["name"].capitalize()
            yield f'<h2 class="group">{escape(name)}</h2><p>{escape(tag["description"])}</p>'
            for method, path, operation in self._operations(tag["name"]):
                yield self._section(method, path, operation)

    def problems(self) -> str:
        rows = "".join(
            f'<tr id="{kind.name}"><td><b>{kind.status}</b></td><td><code>{kind.name}</code></td>'
            f"<td>{escape(kind.title)}</td></tr>"
            for kind in KINDS
        )
        return (
            '<section id="problems"><h2 class="group">Problems</h2>'
            "<p>What is answered instead, as application/problem+json.</p>"
            f'<div class="table"><table>{rows}</table></div><h4>Members</h4>'
            f"{self._fields({'$ref': '#/components/schemas/Problem'})}</section>"
        )

    def _operations(self, tag: str) -> Iterator[tuple[str, str, dict[str, Any]]]:
        for path, methods in self._document["paths"].items():
            for method, operation in methods.items():
                if tag in operation["tags"]:
                    yield method, path, operation

    def _section(self, method: str, path: str, operation: dict[str, Any]) -> str:
        body = operation.get("requestBody", {}).get("content", {}).get(_JSON, {}).get("schema")
        parts = [
            f'<section id="{operation["operationId"]}">',
            f"<h3>{_badge(method)} <code>{escape(path)}</code></h3>",
            _prose(operation.get("description", "")),
            f'<p class="access">{_access(operation)}</p>',
            self._parameters(operation.get("parameters", [])),
        ]
        example = body and self._schemas.example(body)
        if body is not None:
            parts += ["<h4>Body</h4>", self._fields(body)]
        parts += [
            _code(_curl(method, self._origin + path, operation, example)),
            "<h4>Answers</h4>",
            *(self._answer(*answer) for answer in operation["responses"].items()),
            "</section>",
        ]
        return "\n".join(parts)

    def _parameters(self, parameters: list[dict[str, Any]]) -> str:
        rows = [
            (
                one["name"],
                f"{one['in']}, {self._schemas.kind(one['schema'])}",
                one.get("required", False),
                one.get("description") or one["schema"].get("description", ""),
            )
            for one in parameters
        ]
        return f"<h4>Parameters</h4>{_table(rows)}" if rows else ""

    def _fields(self, schema: dict[str, Any]) -> str:
        return _table(
            [
                (field.path, field.kind, field.required, field.description)
                for field in self._schemas.fields(schema)
            ]
        )

    def _answer(self, status: str, answer: dict[str, Any]) -> str:
        title = f"<b>{escape(status)}</b> {escape(answer['description'])}"
        schema = answer.get("content", {}).get(_JSON, {}).get("schema")
        if not schema:
            return f'<p class="answer">{title}</p>'
        example = _code(json.dumps(self._schemas.example(schema), indent=2, ensure_ascii=False))
        return f"<details><summary>{title}</summary>{self._fields(schema)}{example}</details>"


def _table(rows: list[tuple[str, str, bool, str]]) -> str:
    lines = [
        f"<tr><td><code>{escape(name)}</code>{'<em>required</em>' if required else ''}</td>"
        f"<td>{escape(kind)}</td><td>{_inline(description)}</td></tr>"
        for name, kind, required, description in rows
    ]
    return f'<div class="table"><table>{"".join(lines)}</table></div>'


def _access(operation: dict[str, Any]) -> str:
    needs = operation.get("security", [])
    scopes = [scope for one in needs for names in one.values() for scope in names]
    own = any("accessToken" in one for one in needs)
    if not scopes:
        return "Needs the access token of an account." if own else "Public."
    token = ", or the person's own access token" if own else ""
    sometimes = ", where a person is named" if {} in needs else ""
    return f"Needs a key with scope <code>{escape(' '.join(scopes))}</code>{token}{sometimes}."


def _curl(method: str, url: str, operation: dict[str, Any], body: Any) -> str:
    lines = [f"curl -X {method.upper()} {url}"]
    if needs := operation.get("security"):
        variable = "HEADRACE_API_KEY" if "apiKey" in needs[0] else "ACCESS_TOKEN"
        lines.append(f'-H "authorization: Bearer ${variable}"')
    if body is not None:
        lines.append("-H 'content-type: application/json'")
        lines.append(f"-d {shlex.quote(json.dumps(body, ensure_ascii=False))}")
    return " \\\n  ".join(lines)


def _badge(method: str) -> str:
    return f'<span class="method {method}">{method.upper()}</span>'


def _code(text: str) -> str:
    return f'<pre tabindex="0"><code>{escape(text)}</code></pre>'


def _prose(text: str) -> str:
    return "".join(f"<p>{_inline(part)}</p>" for part in text.split("\n\n") if part.strip())


def _inline(text: str) -> str:
    """Escaped, with `code` and **bold** as Markdown has them."""
    text = re.sub(r"`([^`]+)`", r"<code>\1</code>", escape(text, quote=False))
    return re.sub(r"\*\*([^*]+)\*\*", r"<b>\1</b>", text)
