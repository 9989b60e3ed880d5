"""What is worn and where it docks: cameras, their issue to officers, stations, docking visits, boards, commands."""
