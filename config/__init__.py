"""What the operator sets: settings and their shape, the files they stand in, their problems, our words."""
