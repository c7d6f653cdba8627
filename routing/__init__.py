"""Who gets the call: roster, agents, queue, desk, and the story of the call itself."""
