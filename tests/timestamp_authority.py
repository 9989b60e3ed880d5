"""A real RFC 3161 authority for tests: `openssl ts` behind a local HTTP server."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from witness_world import answering, reply

_CONFIG = """
[tsa]
default_tsa = tsa1
[tsa1]
serial = {folder}/serial
crypto_device = builtin
signer_cert = {folder}/tsa.pem
signer_key = {folder}/tsa.key
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256, sha512
accuracy = secs:1
ess_cert_id_chain = no
"""


class TimestampAuthority:
    """A root, a signing certificate and `openssl ts -reply`; `valid_for` may end in the past."""

    def __init__(
        self, folder: Path, name: str = "tsa", valid_for: timedelta = timedelta(days=30), *, purpose: bool = True
    ):
        folder.mkdir(parents=True)
        self.folder, self.root = folder, folder / "root.pem"
        now = datetime.now(UTC)
        root_key, key = (rsa.generate_private_key(65537, 2048) for _ in range(2))
        root_name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, f"{name} root")])
        root = _certificate(
            root_name, root_name, root_key, root_key, now - timedelta(days=400), now + timedelta(days=400)
        )
        subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
        begins, ends = now - timedelta(days=300), now + valid_for
        leaf = _certificate(subject, root_name, key, root_key, begins, ends, stamps=purpose)
        self.root.write_bytes(root.public_bytes(serialization.Encoding.PEM))
        (folder / "tsa.pem").write_bytes(leaf.public_bytes(serialization.Encoding.PEM))
        (folder / "tsa.key").write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )
        (folder / "serial").write_text("01")
        (folder / "tsa.cnf").write_text(_CONFIG.format(folder=folder))

    def answer(self, query: bytes) -> bytes:
        """Return the response to a query, as openssl writes it."""
        (self.folder / "query").write_bytes(query)
        command = ["openssl", "ts", "-reply", "-config", "tsa.cnf", "-queryfile", "query", "-out", "response"]
        subprocess.run(command, cwd=self.folder, check=True, capture_output=True)
        return (self.folder / "response").read_bytes()

    @contextmanager
    def served(self) -> Iterator[str]:
        """Answer queries on a free port; yields the address."""
        with answering(lambda handler, query: reply(200, self.answer(query))(handler, query)) as url:
            yield url


def _certificate(subject, issuer, key, signed_by, begins, ends, *, stamps=None):
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begins)
        .not_valid_after(ends)
        .add_extension(x509.BasicConstraints(ca=stamps is None, path_length=None), critical=True)
    )
    if stamps is not None:
        usage = [x509.ExtendedKeyUsageOID.TIME_STAMPING if stamps else x509.ExtendedKeyUsageOID.CODE_SIGNING]
        builder = builder.add_extension(x509.ExtendedKeyUsage(usage), critical=True)
    return builder.sign(signed_by, hashes.SHA256())
