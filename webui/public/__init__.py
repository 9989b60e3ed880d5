"""The citizens' portal: plain, light, open to all; imports nothing of the staff pages."""
