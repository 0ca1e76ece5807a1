"""What the gateway reads from `HEADRACE_*`."""

from dataclasses import dataclass, field
from typing import Annotated

from pydantic import AfterValidator, Field

from headrace.release.stages import Slot
from headrace.runtime.certificates import CertificateFiles, Certificates
from headrace.runtime.settings import (
    ADDRESS,
    PREFIX,
    Address,
    DatabaseSettings,
    KafkaSettings,
    PeerSettings,
    Port,
    ProcessSettings,
    certificates_of,
)
from services.gateway.accounts.smtp import SmtpServer
from services.gateway.keys import ApiKeys
from services.gateway.tokens import Tokens


def _keys_in_order(text: str) -> str:
    ApiKeys.parse(text)
    return text


def _smtp_in_order(text: str) -> str:
    if text:
        SmtpServer.parse(text)
    return text


def _tokens_in_order(text: str) -> str:
    Tokens.parse(text)
    return text


OptionalAddress = Annotated[str, Field(pattern=f"^$|^{ADDRESS}$")]
Milliseconds = Annotated[int, Field(ge=1, le=60_000)]
Bytes = Annotated[int, Field(ge=1_000)]


@dataclass(frozen=True, kw_only=True)
class GatewaySettings(ProcessSettings, PeerSettings, KafkaSettings, DatabaseSettings):
    """Where it listens, whom it asks, and how long it waits."""

    metrics_port: Port = 9101
    http_port: Port = 8080
    grpc_port: Port = 50051
    public_certificate_file: str = ""
    """For TLS at both doors, HTTP and gRPC: the certificate in PEM, then those between it and the
    authority. Read again once it changed, like its key. Without, doors are not encrypted."""
    public_key_file: str = ""
    """The certificate's key in PEM, without password."""
    ranker_address: Address
    item_embedding_address: Address
    green_ranker_address: OptionalAddress = ""
    """Of the second slot, where every other model is released; without, models are not released
    but replaced."""
    green_item_embedding_address: OptionalAddress = ""
    api_keys: Annotated[str, AfterValidator(_keys_in_order)] = field(repr=False)
    """`<key>:<scope>+<scope>`, several separated by commas. Secret."""
    token_keys: Annotated[str, AfterValidator(_tokens_in_order)] = field(repr=False)
    """`<key id>:<secret>`, several separated by commas; the first signs access tokens. Secret."""
    smtp_url: Annotated[str, AfterValidator(_smtp_in_order)] = field(default="", repr=False)
    """`smtp://host:port`, `smtp+starttls://user:password@host:port` or `smtps://…`. Secret.
    Without, nobody can register or recover a password."""
    mail_from: Annotated[str, Field(pattern=r"^[^\r\n]+@[^\r\n]+$")] = (
        "Headrace <no-reply@localhost>"
    )
    public_url: Annotated[str, Field(pattern=r"^https?://[^\s/]+(/[^\s]*[^\s/])?$")] = (
        "http://127.0.0.1:8080"
    )
    """Where people reach the shop's pages: begins the links in mails."""
    rate_limits_url: Annotated[str, Field(pattern=r"^(memory|rediss?)://")] = field(
        default="memory://", repr=False
    )
    """Where attempts are counted; a Redis is shared by all gateways. Secret."""
    cors_origins: Annotated[
        str, Field(pattern=r"^$|^\*$|^https?://[^\s/,]+(,https?://[^\s/,]+)*$")
    ] = ""
    """Whose pages browsers let call it: `https://shop.example`, several with commas, or `*`."""
    ranker_deadline_ms: Milliseconds = 300
    after_wait_ms: Annotated[int, Field(ge=1, le=250)] = 250
    """Added to the ranker's deadline where a list waits for an event."""
    item_embedding_deadline_ms: Milliseconds = 5_000
    events_deadline_ms: Milliseconds = 3_000
    """Until Kafka has the events of a request."""
    kafka_scan_deadline_s: Annotated[float, Field(gt=0, le=86_400)] = 300.0
    """For reading whole topics, which exports and erasures do."""
    events_body_bytes: Bytes = 1_000_000
    """Also of a body that asks for a list."""
    items_body_bytes: Bytes = 24 * 1024 * 1024
    remembered_places: Annotated[int, Field(ge=0)] = 50_000
    """Places of people's last lists, kept for when the ranker is away; about 0.4 kB each."""

    def slots(self) -> list[tuple[Slot, str, str]]:
        """Of each slot that can be reached: addresses of its ranker and item_embedding."""
        found: list[tuple[Slot, str, str]] = [
            ("blue", self.ranker_address, self.item_embedding_address)
        ]
        if self.green_ranker_address and self.green_item_embedding_address:
            found.append(("green", self.green_ranker_address, self.green_item_embedding_address))
        return found

    def doors(self) -> Certificates | None:
        """None where they are not encrypted. Raises: SettingsInvalid."""
        files = CertificateFiles(
            f"{PREFIX}PUBLIC", self.public_certificate_file, self.public_key_file
        )
        return certificates_of(files, "CERTIFICATE", "KEY")

    @property
    def allowed_origins(self) -> tuple[str, ...]:
        return tuple(self.cors_origins.split(",")) if self.cors_origins else ()
