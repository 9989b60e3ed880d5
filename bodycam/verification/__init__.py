"""Whether a recording's time, place and continuity hold together: findings with reasons, and a verdict."""
