"""The web console and its API: rooms for agents, supervisors, quality staff, administrators and auditors."""
