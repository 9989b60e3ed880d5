"""Where a recording was: tracks and positions out of recordings and their sidecars, one reader per format."""
