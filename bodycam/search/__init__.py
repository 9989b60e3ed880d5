"""Finding: recordings by time, unit, officer, camera, plate, case and free text."""
