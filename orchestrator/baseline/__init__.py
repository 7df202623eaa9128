"""Controls and profiles in YAML become one manifest for each host. Pure."""
