"""Citizens' reports: what they tell, the files they send, the secret code they follow them with, and their triage."""
