"""Contracts and value objects. Import from the modules: none of them loads torch until a tensor is touched."""
