"""The portal behind TLS, as it must be wherever it listens beyond localhost."""

import http.client
import socket
import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

import portal
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


def _certificate(folder: Path) -> tuple[str, str]:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    pem, secret = folder / "cert.pem", folder / "key.pem"
    pem.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    form = serialization.PrivateFormat.PKCS8
    secret.write_bytes(key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption()))
    return str(pem), str(secret)


def _context() -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


def test_over_tls_cookies_are_secure_and_nobody_in_the_middle_of_a_handshake_stops_the_door(tmp_path: Path) -> None:
    cert, key = _certificate(tmp_path)
    with portal.serving(tmp_path, tls_cert=cert, tls_key=key) as door:
        port = int(door.url.rpartition(":")[2])
        idle = [socket.create_connection(("127.0.0.1", port)) for _ in range(10)]
        for sock in idle:
            sock.sendall(b"\x16\x03\x01")  # the beginning of a handshake, and nothing more
        connection = http.client.HTTPSConnection("127.0.0.1", port, context=_context(), timeout=10)
        connection.request("GET", "/?lang=en")
        answer = connection.getresponse()
        assert answer.status == 200
        assert answer.headers["Strict-Transport-Security"] == "max-age=31536000"
        cookies = answer.headers.get_all("Set-Cookie") or []
        assert cookies
        assert all("; Secure" in cookie and "; HttpOnly" in cookie and "SameSite" in cookie for cookie in cookies)
        connection.close()
        for sock in idle:
            sock.close()
