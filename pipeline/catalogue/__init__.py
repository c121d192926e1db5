"""From predictions to the per-star catalogue."""
