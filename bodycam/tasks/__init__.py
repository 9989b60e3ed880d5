"""Jobs by name, and the processes that run them; a task holds no logic of its own."""
