"""Tests of the pages for people: pure functions of a view."""
