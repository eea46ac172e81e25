"""Choosing rows by score."""
