"""How hosts are reached: inventory, connection, pins, agent calls, playbooks."""
