"""A Kafka that asks who is there: a listener for names and passwords, one for certificates."""

from pathlib import Path

from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from kafka import KafkaAdminClient
from kafka.admin import ScramMechanism, UserScramCredentialUpsertion

from headrace.local.kafka import EmbeddedKafka
from headrace.local.ports import HOST, free_ports
from headrace.runtime.kafka_client import KafkaCluster, connected
from tests.certificates import Authority

USER = "headrace"
PASSWORD = "a password with spaces"


class SecureKafka(EmbeddedKafka):
    """Its plain listener is for itself and for making the user."""

    def __init__(self, folder: Path, authority: Authority) -> None:
        port, controller_port, self._named_port, self._certified_port = free_ports(4)
        super().__init__(folder, port, controller_port)
        self._controller = controller_port
        self._authority = authority
        self._files = authority.issue(HOST, into="broker")
        self._keystore = folder / "keystore.pem"

    def named(self) -> KafkaCluster:
        """By name and password, encrypted."""
        return KafkaCluster(
            f"{HOST}:{self._named_port}",
            "SASL_SSL",
            authority=str(self._authority.file),
            username=USER,
            password=PASSWORD,
        )

    def certified(self, certificate: str, key: str) -> KafkaCluster:
        """By certificate."""
        return KafkaCluster(
            f"{HOST}:{self._certified_port}",
            "SSL",
            authority=str(self._authority.file),
            certificate=certificate,
            key=key,
        )

    def make_user(self) -> None:
        admin = connected(KafkaAdminClient, self.bootstrap_servers)
        user = UserScramCredentialUpsertion(USER, ScramMechanism.SCRAM_SHA_512, PASSWORD)
        admin.alter_user_scram_credentials([user])
        admin.close()

    def _write_settings(self) -> Path:
        path = super()._write_settings()
        key = load_pem_private_key(Path(self._files.key).read_bytes(), None).private_bytes(
            Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()
        )
        self._keystore.write_bytes(key + Path(self._files.certificate).read_bytes())
        outer = f"SASL_SSL://{HOST}:{self._named_port},SSL://{HOST}:{self._certified_port}"
        login = "org.apache.kafka.common.security"
        settings = {
            "listeners": f"PLAINTEXT://{HOST}:{self.port},CONTROLLER://{HOST}:{self._controller},"
            + outer,
            "advertised.listeners": f"PLAINTEXT://{HOST}:{self.port},{outer}",
            "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,"
            "SASL_SSL:SASL_SSL,SSL:SSL",
            "sasl.enabled.mechanisms": "PLAIN,SCRAM-SHA-512",
            "listener.name.sasl_ssl.scram-sha-512.sasl.jaas.config": f"{login}.scram."
            "ScramLoginModule required;",
            "listener.name.sasl_ssl.plain.sasl.jaas.config": f"{login}.plain.PlainLoginModule "
            f'required user_{USER}="{PASSWORD}";',
            "ssl.keystore.type": "PEM",
            "ssl.keystore.location": str(self._keystore),
            "ssl.truststore.type": "PEM",
            "ssl.truststore.location": str(self._authority.file),
            "listener.name.ssl.ssl.client.auth": "required",
        }
        # Of two lines for one name, Java takes the last.
        with path.open("a") as file:
            file.writelines(f"{name}={value}\n" for name, value in settings.items())
        return path
