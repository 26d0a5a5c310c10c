"""Attacks on the whole gateway."""

import pytest

pytest.register_assert_rewrite("tests.security.rows")
