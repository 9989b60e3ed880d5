"""The staff pages: one module per screen, each a blueprint with its templates under `webui/templates/staff/`."""
