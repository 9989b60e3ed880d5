"""Where things are: geodesics, VN-2000, Vietnam's boxes, and place names, all offline."""
