"""Judging strategies: bounds that look at hidden labels. Nothing here can be part of a recipe."""
