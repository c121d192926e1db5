"""Tables that a user brings, of any kind, and Parquet files by their literal paths."""
