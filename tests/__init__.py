"""Tests of Weir; a package, so that helpers are imported as ``tests.unit.house.source_tree``."""
