"""The two web applications over `bodycam`: staff pages and the citizens' portal. Never imports `dock_service`."""
