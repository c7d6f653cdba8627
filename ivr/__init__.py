"""What the caller hears and presses before anybody answers: the menu, and the prompts of every stage."""
