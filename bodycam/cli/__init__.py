"""The core's commands, one file per group; heavy imports happen inside the functions so that --help stays quick."""
