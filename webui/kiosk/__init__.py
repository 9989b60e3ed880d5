"""The kiosk: a station's own screen, opened by the station's token; officers show a card or a PIN there for a minute."""
