"""Names within a Flow."""

from __future__ import annotations

import pytest

from jina.names import SAFE_NAME, endpoint_name, with_slash


@pytest.mark.parametrize("name", ["encoder", "_0", "a.b-c_d", "9", "x" * 64])
def test_a_name_that_is_safe_as_a_folder_is_taken(name: str) -> None:
    assert SAFE_NAME.fullmatch(name)


@pytest.mark.parametrize("name", ["", ".hidden", "-x", "a/b", "a b", "ü", "x" * 65, "a\n"])
def test_any_other_name_is_not(name: str) -> None:
    assert not SAFE_NAME.fullmatch(name)


def test_the_slash_of_an_endpoint_may_be_left_out() -> None:
    assert with_slash("index") == with_slash("/index") == endpoint_name("index") == "/index"


def test_no_endpoint_at_all_is_the_default_one_where_methods_are_bound() -> None:
    assert endpoint_name("") == "/default"
    assert with_slash("") == "/"
