"""Plan, apply, confirm and roll back changes of hosts."""
