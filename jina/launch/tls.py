"""Whether a certificate and a private key can be used together, in words for people."""

from __future__ import annotations

import ssl
from collections.abc import Iterator

from jina.graph.http import HttpSettings

_CERTIFICATE = "-----BEGIN CERTIFICATE-----"
_SECRET = "PRIVATE KEY-----"
_BOTH_WAYS = "have the two files been swapped?"


def tls_faults(settings: HttpSettings) -> Iterator[tuple[str, str, str]]:
    """Why certificates and their private key cannot be used; at most one reason.

    Files that cannot be read are left to `jina.launch.http_port.file_faults`.

    Args:
        settings: name the files.

    Yields:
        the key of the settings, the path, and what is wrong; a hint comes after "; ".
    """
    certificate, key = settings.ssl_certfile, settings.ssl_keyfile or settings.ssl_certfile
    if not certificate:
        return
    try:
        shown, secret = _text(certificate), _text(key)
    except OSError:
        return
    if fault := _content_fault(shown, secret, has_own=bool(settings.ssl_keyfile)):
        name, what = fault
        yield name, key if name == "ssl_keyfile" and settings.ssl_keyfile else certificate, what
        return
    if fault := _pair_fault(certificate, key):
        name, what = fault
        if not settings.ssl_keyfile:
            name = "ssl_certfile"
        yield name, key if name == "ssl_keyfile" else certificate, what


def _text(path: str) -> str:
    with open(path, encoding="utf-8", errors="replace") as file:
        return file.read()


def _content_fault(shown: str, secret: str, *, has_own: bool) -> tuple[str, str] | None:
    """What is in a file that is not what it is said to be: the key of the settings, and why."""
    if _CERTIFICATE not in shown and _SECRET in shown:
        hint = f"; {_BOTH_WAYS}" if _CERTIFICATE in secret else ""
        return "ssl_certfile", f"this is a private key, not a certificate{hint}"
    if _SECRET not in secret:
        if not has_own:
            hint = "set `ssl_keyfile` (--ssl-keyfile) to the file of the certificate's private key"
            return "ssl_keyfile", f"there is no private key for this certificate; {hint}"
        what = "a certificate, not a private key" if _CERTIFICATE in secret else "no private key"
        return "ssl_keyfile", f"this is {what}"
    if "ENCRYPTED" in secret:
        hint = "write it without: `openssl pkey -in KEY -out NEW`"
        return "ssl_keyfile", f"this private key has a passphrase, which nobody can enter; {hint}"
    return None


def _pair_fault(certificate: str, key: str) -> tuple[str, str] | None:
    """Why two files of the right kind cannot be used: the key of the settings, and why."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    try:
        context.load_verify_locations(certificate)
    except ssl.SSLError:
        return "ssl_certfile", "this certificate is damaged; OpenSSL cannot read it"
    try:
        context.load_cert_chain(certificate, key, password=lambda: b"")
    except ssl.SSLError as error:
        if error.reason in ("KEY_VALUES_MISMATCH", "KEY_TYPE_MISMATCH", "NO_CERTIFICATE_ASSIGNED"):
            return "ssl_keyfile", "this is the private key of another certificate"
        if error.reason:  # such as EE_KEY_TOO_SMALL
            reason = error.reason.lower().replace("_", " ")
            return "ssl_certfile", f"OpenSSL refuses this certificate: {reason}"
        return "ssl_keyfile", "this private key is damaged; OpenSSL cannot read it"
    return None
