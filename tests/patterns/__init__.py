"""Tests of patterns and rewriting."""
