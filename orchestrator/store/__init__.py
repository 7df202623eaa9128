"""What the controller remembers: SQLAlchemy schema, migrations, repository."""
