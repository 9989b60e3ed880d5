"""The one door: every file comes in here, sealed and logged before anybody is told it's safe."""
