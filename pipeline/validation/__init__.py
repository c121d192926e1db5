"""The catalogue compared with what is known of its stars from elsewhere."""
