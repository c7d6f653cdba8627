"""How the shape of the store changed, one step after the other (alembic); run by ``calllog.migrate``."""
