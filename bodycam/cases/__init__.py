"""Cases: kinds as data, checked identifiers, and the recordings that belong to them."""
