"""What a run leaves for the reader."""
