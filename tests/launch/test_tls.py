"""Certificates and private keys that cannot be used together, in plain words."""

from __future__ import annotations

from pathlib import Path

import pytest

from jina.graph.http import HttpSettings
from jina.launch.tls import tls_faults

FILES = Path(__file__).parents[1] / "http" / "tls"
CERTIFICATE, KEY = (FILES / "localhost.crt").read_text(), (FILES / "localhost.key").read_text()
OTHER_KEY = """-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgb19S5mVaSdu8HUKg
xvotj4rVsRRDBhhk8qdkCwAZz7GhRANCAATOLoKcMRFIqDYGL4kzdvtW4Es18Wnh
Q5L7JcZEXSIubChyWqIgljtVe85wRZEPMGeh+dHgzbWoSlOeLpcOZrFM
-----END PRIVATE KEY-----
"""


@pytest.mark.parametrize(
    ("certificate", "key", "told"),
    [
        (CERTIFICATE, KEY, None),
        (CERTIFICATE + KEY, "", None),
        (KEY, CERTIFICATE, "ssl_certfile: this is a private key, not a certificate; have the two"),
        (CERTIFICATE, CERTIFICATE, "ssl_keyfile: this is a certificate, not a private key"),
        (CERTIFICATE, "", "ssl_keyfile: there is no private key for this certificate; set `ssl_k"),
        (CERTIFICATE, OTHER_KEY, "ssl_keyfile: this is the private key of another certificate"),
        (CERTIFICATE, KEY.replace("M", "x"), "ssl_keyfile: this private key is damaged"),
        (CERTIFICATE.replace("M", "x"), KEY, "ssl_certfile: this certificate is damaged"),
        (
            CERTIFICATE,
            KEY.replace("PRIVATE", "ENCRYPTED PRIVATE"),
            "ssl_keyfile: this private key has a passphrase",
        ),
    ],
)
def test_what_is_said_of_a_pair(
    tmp_path: Path, certificate: str, key: str, told: str | None
) -> None:
    (tmp_path / "c.pem").write_text(certificate)
    (tmp_path / "k.pem").write_text(key)
    settings = HttpSettings(
        ssl_certfile=str(tmp_path / "c.pem"), ssl_keyfile=str(tmp_path / "k.pem") if key else ""
    )
    found = [f"{name}: {fault}" for name, _, fault in tls_faults(settings)]
    if told is None:
        assert found == []
        return
    assert len(found) == 1
    assert found[0].startswith(told)


def test_files_that_are_not_there_are_left_to_others() -> None:
    assert list(tls_faults(HttpSettings())) == []
    assert list(tls_faults(HttpSettings(ssl_certfile="/none", ssl_keyfile="/none"))) == []
