"""Evidence packages: the order they leave on, making them, and checking them with nothing but the folder and a policy."""
