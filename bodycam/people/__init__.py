"""Who there is: units (a tree of any depth), officers with their number, accounts, grants and sign-in sessions."""
