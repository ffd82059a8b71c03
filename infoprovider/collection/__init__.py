"""Runs providers and keeps them to their contract."""
