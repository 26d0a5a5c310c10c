"""The rows of the attack table, one module for each kind."""

import pytest

pytest.register_assert_rewrite("tests.security.rows")
